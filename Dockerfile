# The bot, and with another command the AntCRM sandbox (compose.yaml).

FROM node:24-slim AS dependencies
WORKDIR /app
COPY .npmrc package.json package-lock.json ops/prune-packages.sh ./
# No dependency needs a script of its own, so none may run one. What is optional is a compiler; what nobody loads goes: of
# 243 MB stay 56.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
  && sh prune-packages.sh

# The bot checks an empty configuration once, so that Node keeps what it compiles: a start takes a quarter less processor time.
# Node names the cache by its version, the flags and the user, so both must be those of the last stage.
FROM node:24-slim AS app
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY locales locales
COPY src src
ENV NODE_COMPILE_CACHE=/app/.compile-cache
RUN mkdir .compile-cache && chown node .compile-cache
USER node
RUN LOG_LEVEL=silent node --max-semi-space-size=16 --heap-growing-percent=130 --expose-gc --import ./src/node-version.mjs src/main.ts --check \
  && chmod -R a+rX .compile-cache

FROM node:24-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 NODE_COMPILE_CACHE=/app/.compile-cache
WORKDIR /app
# All of it belongs to root: the bot can change nothing of itself.
COPY --from=app --chown=root:root /app ./
USER node
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "--eval", "fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["env", "MALLOC_ARENA_MAX=2", "node", "--max-semi-space-size=16", "--heap-growing-percent=130", "--expose-gc", "--import", "./src/node-version.mjs", "src/main.ts"]
