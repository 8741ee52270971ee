#!/bin/sh
# Writes Alertmanager's configuration from the environment, because Alertmanager reads no variables, then starts it.
#   ALERT_TELEGRAM_CHAT   the id of the Telegram chat that gets the alerts; unset: alerts are kept on its page only
#   ALERT_TELEGRAM_TOKEN  the token of a bot that is a member of that chat
#   ALERT_EMAIL           an address that gets the tickets; ALERT_EMAIL_FROM and ALERT_EMAIL_SMARTHOST (host:port) send them
# `page` wakes whoever is on call, `ticket` waits for the morning, `note` is only kept.
set -eu

telegram=''
email=''
if [ -n "${ALERT_TELEGRAM_CHAT:-}" ]; then
  printf '%s' "${ALERT_TELEGRAM_TOKEN:?set it in .env to the token of a bot in the chat ALERT_TELEGRAM_CHAT}" > /tmp/token
  telegram="telegram_configs: [{ bot_token_file: /tmp/token, chat_id: $ALERT_TELEGRAM_CHAT, parse_mode: '' }]"
fi
if [ -n "${ALERT_EMAIL:-}" ]; then
  email="email_configs: [{ to: '$ALERT_EMAIL' }]"
fi

cat > /tmp/alertmanager.yml <<YAML
global:
  smtp_from: '${ALERT_EMAIL_FROM:-alerts@localhost}'
  smtp_smarthost: '${ALERT_EMAIL_SMARTHOST:-localhost:25}'
  telegram_api_url: '${ALERT_TELEGRAM_API:-https://api.telegram.org}'
route:
  receiver: notes
  group_by: [alertname]
  group_wait: ${ALERT_GROUP_WAIT:-30s}
  routes:
    - matchers: ['severity="page"']
      receiver: on-call
      repeat_interval: 1h
    - matchers: ['severity="ticket"']
      receiver: desk
      repeat_interval: 12h
# While no bot is ready, that its parts wait is no news.
inhibit_rules:
  - source_matchers: ['alertname="NoBotReady"']
    target_matchers: ['severity=~"ticket|note"']
receivers:
  - name: notes
  - name: on-call
    $telegram
    $email
  - name: desk
    $telegram
    $email
YAML

# One Alertmanager alone needs no port for others of its kind.
exec alertmanager --config.file=/tmp/alertmanager.yml --storage.path=/alertmanager --cluster.listen-address= "$@"
