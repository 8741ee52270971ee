/**
 * What the bots of a test file logged, in whichever process, and what must not be in it. Every start of a bot
 * (`app.ts`, `processes.ts`) comes by here; `log-scan.ts` looks after each file.
 */
const logs: (readonly string[])[] = [];
const secrets = new Map<string, string>();

const SECRET_VARIABLE = /(TOKEN|SECRET|PASSWORD|KEY|KEY_PREVIOUS)$/;
const SECRET_LENGTH = 6;

/** `lines` are looked at later: those to come, too. `env`: what this bot was told, its secrets among it. */
export function scanLater(lines: readonly string[], env: Readonly<Record<string, string>>): void {
  logs.push(lines);
  for (const [variable, value] of Object.entries(env)) {
    if (!SECRET_VARIABLE.test(variable)) continue;
    // A Telegram token's second half is what is secret of it; of keys there may be several.
    for (const part of [value, ...value.split(/[:,]/)]) {
      if (part.length >= SECRET_LENGTH) secrets.set(part, variable);
    }
  }
}

/** What customers of this suite say: any phone or e-mail, the sandbox's codes and gifts, names. */
const PERSONAL = {
  phone: /(?<![\w.-])(?:\+?84|0)[ .-]?[35789](?:[ .-]?\d){8}(?![\w-]|\.\d)/,
  'e-mail': /[\w.+-]+@[\w-]+\.[a-z]{2,}/i,
  code: /(?<![\w/+-])(?:TIVI|TULANH|MAYGIAT|DAUMAY|LOA|NOICOM|Q\d{4}A)\w*\d(?![\w/+-])/,
  name: /garnacho|\bthong\b/i,
} as const;

/** The greeting on the terminal proposes a line to paste, with the sample code. */
const GREETING = /^ {2}Try: {3}curl /;

/** One line for each thing found since the last look: what it is, and the log line. */
export function leaks(): string[] {
  const found = logs.flat().flatMap(leaksOf);
  // Where files share a process, one's secrets may be another's words.
  logs.length = 0;
  secrets.clear();
  return found;
}

/** For the line given, and the secrets of all bots since the last look. */
export function leaksOf(line: string): string[] {
  if (GREETING.test(line)) return [];
  const personal = Object.entries(PERSONAL).filter(([, pattern]) => pattern.test(line));
  const known = [...secrets].filter(([value]) => line.includes(value));
  return [...personal.map(([what]) => what), ...known.map(([, variable]) => variable)].map(
    (what) => `${what}: ${line}`,
  );
}
