import { expect } from 'vitest';
import type { Message } from '../../src/conversation/message.ts';
import type { Reply } from '../../src/conversation/reply.ts';
import { Dialogue, lookupOf } from './dialogue.ts';
import { type Before, expectFact, inWords, named, saysLine } from './facts.ts';
import { messageOf, of, Scene, UNITS } from './scene.ts';

/*
 * Transcripts: dialogues as text, in `test/dialogues/`.
 *
 *     # Topic                                    lines before its first scenario begin each of them
 *     ## the scenario, as a sentence
 *     as staff                                   who writes; `with …` settings, `AntCRM …` how it behaves (`scene.ts`)
 *     let who: 0912345678                        `{who}` stands for it from here on
 *     tích điểm {who} | 0912345678 → a, b        said in two ways, each goes through all that follows; two replies
 *     as teams » lịch sử → history.page          one line after the other; `line (×3)`: three times
 *     [confirm] → … ! accumulate TIVI000000017   a button (`[old …]` of before, `[any …]` without its question, `[dead …]` of none); what earned or spent
 *     (contact 84867123456) → again              what else is sent; the question that was live comes again
 *     (unseen) ok                                written before the last answer came
 *     … 31 min later                             time passes; `… until it wakes`
 *     - xem điểm → points.balance                a way of its own, with the lines that are indented below it;
 *     - quà → … ; asks menu ? history gift       what comes after the ways is common to all
 *     = a ; codes none                           of the last answer, where several ways led to it
 *
 * Replies: `key`, `key_context` (`key_`: none), `key(param=value)`, `a/b` either, `…` any number, `nothing`. After them
 * `;` says a fact (`facts.ts`), `!` what earned or spent (all of it: where none is named, nothing may) and `?` what AntCRM was
 * asked besides. A line that begins with one of these, `|` or `→` goes on the line before.
 */

type Said = { readonly at: number; readonly text: string };
export type Scenario = { readonly name: string; readonly paths: readonly (readonly Said[])[] };
type Topic = { readonly name: string; readonly scenarios: readonly Scenario[] };

export function readTranscripts(source: string): readonly Topic[] {
  const lines = source.split('\n').map((text, at) => ({ at: at + 1, text: text.trimEnd() }));
  return split(joined(lines), '# ').map(({ name, lines: all }) => {
    const at = all.findIndex(({ text }) => text.startsWith('## '));
    const beginnings = pathsOf(at < 0 ? [] : all.slice(0, at));
    const scenarios = split(all.slice(Math.max(at, 0)), '## ').map((scenario) => {
      const rest = pathsOf(scenario.lines);
      return {
        name: scenario.name,
        paths: beginnings.flatMap((begin) => rest.flatMap((path) => alternatives([...begin, ...path]))),
      };
    });
    return { name, scenarios };
  });
}

/** Lines that begin with `|`, `→`, `;`, `!` or `?` go on the line before; what is behind a `»` is a line of its own. */
function joined(lines: readonly Said[]): readonly Said[] {
  const all: Said[] = [];
  for (const { at, text } of lines) {
    if (text.trim() === '' || text.startsWith('//')) continue;
    const before = all.at(-1);
    if (before && /^\s*[;!?|→] /.test(text))
      all[all.length - 1] = { ...before, text: `${before.text} ${text.trim()}` };
    else all.push({ at, text });
  }
  return all.flatMap(({ at, text }) => {
    const [, indent = '', way = '', words = '', times = '1'] =
      /^(\s*)(- )?(.*?)(?: \(×(\d+)\))?$/.exec(text) ?? [];
    const inside = indent + ' '.repeat(way.length);
    const steps = Array.from({ length: Number(times) }, () => words.split(' » ')).flat();
    return steps.map((line, step) => ({ at, text: (step === 0 ? indent + way : inside) + line }));
  });
}

function split(lines: readonly Said[], mark: string): readonly { name: string; lines: readonly Said[] }[] {
  const parts: { name: string; lines: Said[] }[] = [];
  for (const line of lines) {
    if (line.text.startsWith(mark)) parts.push({ name: line.text.slice(mark.length), lines: [] });
    else parts.at(-1)?.lines.push(line);
  }
  return parts;
}

const indentOf = ({ text }: Said): number => text.length - text.trimStart().length;

/** Each `- ` begins a way of its own, with the lines that are indented below it; what comes after them is common to all. */
function pathsOf(lines: readonly Said[]): readonly (readonly Said[])[] {
  const isWay = ({ text }: Said): boolean => text.trimStart().startsWith('- ');
  const at = lines.findIndex(isWay);
  const [first] = lines.slice(Math.max(at, 0));
  if (at < 0 || !first) return [lines];
  const indent = indentOf(first);
  const after = lines.findIndex((line, index) => index > at && indentOf(line) <= indent && !isWay(line));
  const ways: Said[][] = [];
  for (const line of lines.slice(at, after < 0 ? undefined : after)) {
    if (indentOf(line) === indent) ways.push([{ ...line, text: line.text.replace('- ', '  ') }]);
    else ways.at(-1)?.push(line);
  }
  const ends = after < 0 ? [[]] : pathsOf(lines.slice(after));
  return ways.flatMap((way) =>
    pathsOf(way).flatMap((path) => ends.map((end) => [...lines.slice(0, at), ...path, ...end])),
  );
}

/** `a | b → …` is said in two ways; `let name: a | b` stands for `{name}` in the lines after it, one after the other. */
function alternatives(
  [line, ...rest]: readonly Said[],
  named: ReadonlyMap<string, string> = new Map(),
): Said[][] {
  if (!line) return [[]];
  const text = line.text.trim();
  const [, name, words = ''] = /^let (\w+): (.*)$/.exec(text) ?? [];
  if (name !== undefined)
    return alternatives(rest, new Map([...named, [name, expand(words, named).join(' | ')]]));
  const ends = alternatives(rest, named);
  const [typed = '', ...answered] = text.split(/ (?=→)/);
  return typed
    .split(' | ')
    .flatMap((one) =>
      expand([one, ...answered].join(' '), named).flatMap((way) =>
        ends.map((end) => [{ at: line.at, text: way }, ...end]),
      ),
    );
}

function expand(text: string, named: ReadonlyMap<string, string>): readonly string[] {
  const [, name = ''] = [...text.matchAll(/\{(\w+)\}/g)].find(([, one = '']) => named.has(one)) ?? [];
  const words = named.get(name)?.split(' | ') ?? [];
  return words.length === 0
    ? [text]
    : words.flatMap((one) => expand(text.replaceAll(`{${name}}`, one), named));
}

/** Runs a way through a scenario; throws where something else came than the transcript says. */
export function runTranscript(path: readonly Said[]): void {
  const run = new Run();
  path.forEach(({ at, text }, index) => {
    try {
      run.line(text);
    } catch (error) {
      const way = path.slice(0, index + 1).map((line) => `\n  ${line.text}`);
      throw new Error(`line ${at}: ${error instanceof Error ? error.message : error}${way.join('')}`);
    }
  });
}

class Run {
  readonly #chat = new Dialogue();
  readonly #scene = new Scene(this.#chat);
  readonly #shown: { readonly id: string; readonly view: string | undefined }[] = [];
  /** What was to be confirmed so far: `{id1}`, `{id2}`, …; `{id}` is the last one. */
  readonly #confirmed = new Set<string>();
  #question: Reply | undefined;
  #sent: Message = { kind: 'group' };
  #before: Before = { state: this.#chat.state, question: undefined };

  line(line: string): void {
    const chat = this.#chat;
    if (chat.state.step.at === 'confirming') this.#confirmed.add(chat.state.step.operation);
    const ids = [...this.#confirmed];
    const text = line.replace(/\{id(\d?)\}/g, (_, at) => ids.at(at === '' ? -1 : Number(at) - 1) ?? '');
    if (this.#scene.sets(text)) return;
    const called = chat.effects.length;
    const [typed = '', answered = ''] = text.startsWith('= ') ? ['', text.slice(2)] : text.split(/ ?→ ?/);
    if (typed !== '') this.#exchange(typed);
    this.#compare(answered.replaceAll('{ticket}', this.#ticket), called);
  }

  #exchange(words: string): void {
    const chat = this.#chat;
    this.#before = { state: chat.state, question: this.#question };
    this.#say(words);
    for (const { choices = [], view } of chat.replies) {
      this.#shown.push(...choices.map(({ id }) => ({ id, view })));
      expect(choices.filter(({ id }, at) => choices.findIndex((other) => other.id === id) < at)).toEqual([]);
    }
    this.#question = chat.replies.at(-1) ?? this.#question;
  }

  #say(words: string): void {
    const chat = this.#chat;
    const [, many, unit = ''] = /^… ([\d.]+) (\w+) later$/.exec(words) ?? [];
    const [, button] = /^\[(.*)\]$/.exec(words) ?? [];
    const [, other] = /^\((.*)\)$/.exec(words) ?? [];
    const [, unseen] = /^\(unseen\) (.*)$/.exec(words) ?? [];
    chat.current = unseen === undefined;
    if (many !== undefined) chat.later(Number(many) * of(UNITS, unit));
    else if (words === '… until it wakes') this.#wake();
    else if (button !== undefined) this.#press(button);
    else if (other === 'wakes') chat.wake();
    else if (other === 'gives up') chat.fail();
    else if (other?.startsWith('comes unknown ')) this.#come(other.split(' '));
    else if (other === 'same form again') chat.send(this.#sent);
    else if (other !== undefined) {
      this.#sent = messageOf(other, this.#question?.view, this.#ticket);
      chat.send(this.#sent);
    } else chat.text(typed(unseen ?? words));
  }

  /** The outcome of a call of before, `comes unknown OPERATION CODE`. */
  #come([, , operation = '', code = '']: readonly string[]): void {
    const lookup = lookupOf('accumulate', code);
    this.#chat.run({ kind: 'outcome', outcome: { kind: 'unknown', operation, lookup } });
  }

  #wake(): void {
    const { wakeAtMs } = this.#chat.last ?? {};
    if (typeof wakeAtMs !== 'number') throw new Error('it does not want to be woken');
    this.#chat.nowMs = wakeAtMs;
    this.#chat.wake();
  }

  get #ticket(): string {
    return this.#chat.state.tickets?.at(-1)?.id ?? '';
  }

  #press(button: string): void {
    const [, kind, id = button] = /^(old|any|dead) (.*)$/.exec(button) ?? [];
    const { choices = [], view } = this.#question ?? {};
    const among = kind === 'old' ? this.#shown : choices.map((choice) => ({ id: choice.id, view }));
    const unshown = { id, view: kind === 'dead' ? 'v0' : undefined };
    const isShown = kind === undefined || kind === 'old';
    const pressed = isShown ? among.find((button) => isNamed(button.id, id)) : unshown;
    if (!pressed) throw new Error(`no button ${id} among ${among.map((one) => one.id).join(' ')}`);
    const message = { kind: 'choice', choice: pressed.id } as const;
    this.#chat.send(pressed.view === undefined ? message : { ...message, view: pressed.view });
  }

  #compare(answered: string, called: number): void {
    const [keys = '', ...parts] = ` ${answered}`.split(/ (?=[;!?] )/);
    const given = (mark: string) => parts.flatMap((part) => (part[0] === mark ? [part.slice(2)] : []));
    const effects = this.#chat.effects.slice(called);
    const moving = effects.filter(({ kind }) => kind === 'accumulate' || kind === 'redeem');
    // What earns or spends is always said; what is read, where it matters.
    expectEach('calls', moving.map(inWords), given('!'));
    const reads = given('?');
    const others = effects.filter((effect) => !moving.includes(effect));
    if (reads.length > 0) expectEach('reads', others.map(inWords), reads[0] === 'none' ? [] : reads);
    if (keys.trim() !== '') expectReplies(this.#chat.replies, keys.trim(), this.#before.question);
    for (const fact of given(';')) expectFact(this.#chat, fact, this.#before);
  }
}

const isNamed = (id: string, name: string): boolean => id === name || id.startsWith(`${name}:`);

/** `"  as it is "`, `\\n`, `text ×200`. */
function typed(text: string): string {
  const [, one = text, times = '1'] = /^(.*) ×(\d+)$/.exec(text) ?? [];
  const all = times === '1' ? text : `${one} `.repeat(Number(times));
  return all.replaceAll('\\n', '\n').replace(/^"(.*)"$/, '$1');
}

/** As many as are wanted, in their order, each with all the words that are wanted of it. */
function expectEach(what: string, came: readonly (readonly string[])[], wanted: readonly string[]): void {
  const found = came.map((words, at) =>
    wanted[at]?.split(' ').every((word) => words.includes(word)) ? wanted[at] : words.join(' '),
  );
  expect(found, what).toEqual(wanted);
}

/** The replies, in their order; `…` stands for any, `again` for the question that was live, `nothing` for none. */
function expectReplies(replies: readonly Reply[], wanted: string, before: Reply | undefined): void {
  const items = wanted === 'nothing' ? [] : wanted.split(/, (?![^(]*\))/);
  const is = (reply: Reply, item: string) =>
    item === 'again' ? reply.key === before?.key && reply.view === before?.view : saysLine(reply, item);
  const fits = ([item, ...later]: readonly string[], [reply, ...rest]: readonly Reply[]): boolean => {
    if (item === '…')
      return (
        fits(later, reply ? [reply, ...rest] : []) || (reply !== undefined && fits([item, ...later], rest))
      );
    if (item === undefined || reply === undefined) return item === reply;
    return is(reply, item) && fits(later, rest);
  };
  if (!fits(items, replies))
    throw new Error(`not "${wanted}", but "${replies.map(named).join(', ') || 'nothing'}"`);
}
