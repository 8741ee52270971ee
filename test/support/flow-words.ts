import { type Flow, findConfirms } from '../../src/conversation/flow.ts';
import type { Wording } from '../../src/conversation/message.ts';
import { LOCALES } from '../../src/conversation/message.ts';

/** What the locale files lack of flows: `flow, language, key`. */
export function missingWords(flows: readonly Flow[], wording: Wording): string[] {
  return flows.flatMap((flow) =>
    LOCALES.flatMap((locale) =>
      keysOf(flow)
        .filter((key) => !wording[locale][key])
        .map((key) => `${flow.name}, ${locale}, ${key}`),
    ),
  );
}

function keysOf(flow: Flow): string[] {
  const { name, identity } = flow;
  const confirmation = findConfirms(flow);
  return [
    ...['choice', 'flow', 'help', 'command', 'telegram.command'].map((kind) => `${kind}.${name}`),
    ...['title', 'description'].map((part) => `teams.command.${name}.${part}`),
    ...(identity === 'typed' ? ['askPhone', 'askPhone_staff'].map((key) => `${name}.${key}`) : []),
    ...(confirmation ? ['summary', 'done', 'refused'].map((key) => `${name}.${key}`) : []),
    ...(confirmation ? [`choice.confirm.${name}`] : []),
  ];
}
