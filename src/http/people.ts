import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isSecret } from './secret.ts';

/*
 * STAFF_PEOPLE: a file with a line `name: token` for each staff member who signs in with a token of their
 * own. Blank lines and lines that begin with `#` do not count. The file is read again while the bot runs.
 */

/** `reserved`: tokens that no person may have, by their variables (`STAFF_TOKEN`). */
export type PeopleFile = { readonly path: string; readonly reserved: ReadonlyMap<string, string> };

export type Person = { readonly name: string; readonly token: string };

/** What is wrong with a token. `few`: it has so few different characters that it can be guessed. */
export function weaknessOf(token: string): 'form' | 'few' | undefined {
  if (!/^[!-~]{16,}$/.test(token)) return 'form';
  return isVaried(token) ? undefined : 'few';
}

/** Whether more than a few of the parts differ. */
export const isVaried = (parts: Iterable<unknown>): boolean => new Set(parts).size > 5;

export const TOKEN_WANTS = 'at least 16 visible ASCII characters (openssl rand -hex 32)';
/** Customers read a name before each answer. */
export const MAX_STAFF_NAME = 80;
/** Each request with an unknown token is compared with all. */
const MAX_PEOPLE = 500;

/** Reads the file. `faults` name lines, never a name or a token. */
export function readPeople(file: PeopleFile): PeopleRead {
  try {
    return parsePeople(readFileSync(file.path, 'utf8'), file);
  } catch (error) {
    return { people: [], faults: [describeUnreadable(file, error)] };
  }
}

type PeopleRead = { readonly people: readonly Person[]; readonly faults: readonly string[] };

const describeUnreadable = ({ path }: PeopleFile, error: unknown): string =>
  `${path} cannot be read: ${error instanceof Error ? error.message : error}`;

function parsePeople(text: string, { path, reserved }: PeopleFile): PeopleRead {
  const people: Person[] = [];
  const faults: string[] = [];
  const tokens = new Map(reserved);
  const names = new Map<string, string>();
  // Some editors begin a file with a byte order mark.
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    const person = { name: line.slice(0, Math.max(colon, 0)).trim(), token: line.slice(colon + 1).trim() };
    const fault = faultOf(person, { tokens, names });
    if (fault !== undefined) faults.push(`${path}, line ${index + 1}: ${fault}`);
    else people.push(person);
    tokens.set(person.token, `the token of line ${index + 1}`);
    names.set(foldName(person.name), `line ${index + 1}`);
  }
  if (people.length > MAX_PEOPLE)
    faults.push(`${path}: got ${people.length} people, wants at most ${MAX_PEOPLE}`);
  return { people, faults };
}

type TakenIdentities = {
  readonly tokens: ReadonlyMap<string, string>;
  readonly names: ReadonlyMap<string, string>;
};

function faultOf({ name, token }: Person, { tokens, names }: TakenIdentities): string | undefined {
  if (name === '' || token === '') return 'wants a name, a colon and a token';
  if (name.length > MAX_STAFF_NAME) return `its name wants at most ${MAX_STAFF_NAME} characters`;
  if (name.search(INVISIBLE) >= 0) return 'its name has an invisible character';
  const sameName = names.get(foldName(name));
  if (sameName !== undefined) return `its name is that of ${sameName}, wants another`;
  const sameToken = tokens.get(token);
  if (sameToken !== undefined) return `its token is ${sameToken}, wants another`;
  switch (weaknessOf(token)) {
    case 'form':
      return `its token wants ${TOKEN_WANTS}`;
    case 'few':
      return `its token has few different characters, wants ${TOKEN_WANTS}`;
    case undefined:
      return undefined;
  }
}

/** U+2800, an empty Braille pattern, is a letter by Unicode. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** The name without invisible characters, and without blanks around it. */
export const removeInvisible = (name: string): string => name.replace(INVISIBLE, '').trim();

/**
 * Two names that readers cannot distinguish fold to one: case, blanks and invisible characters do not count.
 */
const foldName = (name: string): string =>
  removeInvisible(name.normalize('NFKC')).replace(/\s+/g, ' ').toLowerCase();

/**
 * How often the file is read. A change counts after two equal reads, because an editor may still be writing.
 */
const READ_EVERY_MS = 5000;

type PeopleOptions = {
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  readonly everyMs?: number | undefined;
};

/**
 * The people of the file. A change of the file counts within ten seconds. If the file cannot be read or has
 * faults, the people before stay.
 */
export class People {
  readonly #file: PeopleFile;
  readonly #log: PeopleOptions['log'];
  readonly #timer: NodeJS.Timeout;
  #people: readonly Person[];
  #faults: readonly string[] = [];
  /** What was read last. */
  #seen = '';
  #isReading = false;

  /** Throws if the file has faults. */
  constructor(file: PeopleFile, { log, everyMs = READ_EVERY_MS }: PeopleOptions) {
    const { people, faults } = readPeople(file);
    if (faults.length > 0) throw new Error(`STAFF_PEOPLE: ${faults.join('; ')}`);
    this.#file = file;
    this.#log = log;
    this.#people = people;
    this.#timer = setInterval(() => void this.#look(), everyMs).unref();
  }

  /** The name of the person with this token. */
  nameOf(token: string): string | undefined {
    // Compares with all tokens, so that the time does not show which one is similar.
    const [person] = this.#people.filter((candidate) => isSecret(token, candidate.token));
    return person?.name;
  }

  tokenOf(name: string): string | undefined {
    return this.#people.find((person) => person.name === name)?.token;
  }

  /** Whether a person has this name, or one that readers cannot distinguish from it. */
  has(name: string): boolean {
    const folded = foldName(name);
    return this.#people.some((person) => foldName(person.name) === folded);
  }

  get names(): readonly string[] {
    return this.#people.map(({ name }) => name);
  }

  /** What is wrong with the file now, for operators. */
  readonly faults = (): readonly string[] => this.#faults;

  close(): void {
    clearInterval(this.#timer);
  }

  /** Reads one after the other, so that a slow read cannot undo a later one. */
  async #look(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    await this.#read();
    this.#isReading = false;
  }

  async #read(): Promise<void> {
    const read = await readFile(this.#file.path, 'utf8').then(
      (text) => ({ text, ...parsePeople(text, this.#file) }),
      (error: unknown) => {
        const fault = describeUnreadable(this.#file, error);
        return { text: fault, people: [], faults: [fault] };
      },
    );
    const isSettled = read.text === this.#seen;
    this.#seen = read.text;
    if (isSettled) this.#apply(read);
  }

  #apply({ people, faults }: PeopleRead): void {
    const isNews = faults.join() !== this.#faults.join();
    this.#faults = faults;
    if (faults.length > 0) {
      const message = 'STAFF_PEOPLE has faults: those who were there before stay (see /health/ready)';
      if (isNews) this.#log.warn({ faults: faults.length }, message);
      return;
    }
    if (JSON.stringify(people) === JSON.stringify(this.#people)) return;
    this.#people = people;
    this.#log.info({ people: people.length }, 'STAFF_PEOPLE has changed');
  }
}
