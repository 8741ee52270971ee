/*
 * Which act a text is likeliest to be: multinomial logistic regression over hashed words and letters, learnt
 * from the example lines when a process starts. The same lines in the same order give the same model.
 */

/** A text as the model sees it. */
export type ModelText = {
  /** Its folded words, without values. */
  readonly words: readonly string[];
  /** Its words that have marks, as they are spelt. */
  readonly spelt: readonly string[];
};

/** A line to learn from, in the variants that the rounds of learning take in turn. */
export type Lesson = { readonly act: string; readonly variants: readonly [ModelText, ...ModelText[]] };

/** `p`: how likely the act is (0–1), of those that are possible. */
export type Guess = { readonly act: string; readonly p: number };

/** Rounds over all lines, with a falling rate. More rounds fit the lines, not the strangers. */
const ROUNDS = 4;
const RATE = 6;
const BIAS_RATE = 0.12;
/** How much rare acts weigh (0: as often as their lines; 1: all the same). */
const BALANCE = 0.4;
/** A line that the model already takes for its act with this probability teaches nothing. */
const KNOWN = 0.97;
/** Errors of an act below this probability change no weight. */
const IGNORED = 0.003;
/** Unknown features make a text shorter: the model is less sure of strange words. */
const STRANGENESS = 0.6;
/** How much of what acts that are impossible here take away counts as doubt. */
const IMPOSSIBLE = 0.5;
/** Features are told apart by this many bits of their hash. */
const HASH_BITS = 18;
const BUCKETS = 1 << HASH_BITS;
/** Letters within words, by lengths. */
const LEAST_LETTERS = 2;
const MOST_LETTERS = 3;
/** A longer word has no more features, a longer text no more words. */
const MOST_WORD = 20;
const MOST_WORDS = 60;

const SEED = 2_166_136_261;
const PRIME = 16_777_619;
const EDGE = 95;
const WORD = 1;
const PAIR = 2;
const SPELT = 3;
const LETTERS = 4;
const LENGTH = 5;

function hash(text: string, from: number): number {
  let value = from;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), PRIME);
  return value;
}
/** FNV-1a leaves its high bits weak. */
const toBucket = (value: number): number =>
  Math.imul(value ^ (value >>> 15), 0x2c1b3c6d) >>> (32 - HASH_BITS);

/** Adds to a number of an array: its elements are never undefined, but the compiler cannot know. */
function addAt(array: Float32Array | Int32Array, at: number, value: number): void {
  array[at] = (array[at] ?? 0) + value;
}

/** The buckets of a text's words, pairs of words, spelling, letters within words and length; each once. */
function bucketsOf({ words, spelt }: ModelText): Set<number> {
  const found = new Set<number>();
  const add = (value: number) => found.add(toBucket(Math.imul(value, PRIME) >>> 0));
  let before = '^';
  for (const word of words.slice(0, MOST_WORDS)) {
    const typed = word.slice(0, MOST_WORD);
    add(hash(typed, SEED ^ WORD));
    add(hash(typed, hash(before, SEED ^ PAIR) ^ EDGE));
    before = typed;
    addLetters(typed, add);
  }
  add(hash('$', hash(before, SEED ^ PAIR) ^ EDGE));
  for (const word of spelt.slice(0, MOST_WORDS)) add(hash(word.slice(0, MOST_WORD), SEED ^ SPELT));
  add(Math.imul(SEED ^ LENGTH ^ Math.min(words.length, 8), PRIME));
  return found;
}

function addLetters(word: string, add: (value: number) => void): void {
  const last = word.length;
  for (let from = -1; from < last; from++) {
    let value = SEED ^ LETTERS;
    for (let length = 1; length <= MOST_LETTERS && from + length <= last + 1; length++) {
      const at = from + length - 1;
      const letter = at < 0 || at >= last ? EDGE : word.charCodeAt(at);
      value = Math.imul(value ^ letter, PRIME);
      if (length >= LEAST_LETTERS) add(value ^ length);
    }
  }
}

type Vector = { readonly ids: Int32Array; readonly values: Float32Array };
type Pupil = { readonly answer: number; readonly vectors: readonly Vector[] };

export class Model {
  readonly acts: readonly string[];
  /** The feature of each bucket; -1: none. */
  readonly #ids = new Int32Array(BUCKETS).fill(-1);
  /** How telling each feature is: rare ones are more so. */
  readonly #idf: Float32Array;
  readonly #rarest: number;
  /** By feature, then by act. */
  readonly #weights: Float32Array;
  readonly #bias: Float32Array;

  constructor(lessons: readonly Lesson[]) {
    this.acts = [...new Set(lessons.map(({ act }) => act))].sort();
    const buckets = lessons.map(({ variants }) => variants.map(bucketsOf));
    const counts = new Int32Array(BUCKETS);
    for (const [plain] of buckets) for (const bucket of plain ?? []) addAt(counts, bucket, 1);
    const idf: number[] = [];
    for (const [bucket, count] of counts.entries()) {
      if (count === 0) continue;
      this.#ids[bucket] = idf.length;
      idf.push(Math.log(1 + lessons.length / count));
    }
    this.#idf = Float32Array.from(idf);
    this.#rarest = Math.log(1 + lessons.length);
    this.#weights = new Float32Array(idf.length * this.acts.length);
    this.#bias = new Float32Array(this.acts.length);
    const places = new Map(this.acts.map((act, at) => [act, at]));
    this.#learn(
      lessons.map(({ act }, at) => ({
        answer: places.get(act) ?? 0,
        vectors: (buckets[at] ?? []).map((some) => this.#vectorOf(some)),
      })),
    );
  }

  /** Of length 1. */
  #vectorOf(buckets: ReadonlySet<number>, isStrange = false): Vector {
    const ids: number[] = [];
    let square = 0;
    for (const bucket of buckets) {
      const id = this.#ids[bucket] ?? -1;
      if (id >= 0) ids.push(id);
      const unknown = isStrange ? this.#rarest * STRANGENESS : 0;
      const idf = id >= 0 ? (this.#idf[id] ?? 0) : unknown;
      square += idf * idf;
    }
    const length = Math.sqrt(square) || 1;
    const values = Float32Array.from(ids, (id) => (this.#idf[id] ?? 0) / length);
    return { ids: Int32Array.from(ids), values };
  }

  #learn(pupils: readonly Pupil[]): void {
    const lines = new Float32Array(this.acts.length);
    for (const { answer } of pupils) addAt(lines, answer, 1);
    const share = lines.map((count) => (pupils.length / this.acts.length / count) ** BALANCE);
    const scores = new Float32Array(this.acts.length);
    let order = pupils;
    for (let round = 0; round < ROUNDS; round++) {
      order = shuffle(order, round);
      for (const { answer, vectors } of order) {
        const vector = vectors[round % vectors.length];
        if (!vector) continue;
        this.#score(vector, scores);
        if ((scores[answer] ?? 0) > KNOWN) continue;
        this.#correct(vector, scores, { answer, step: (1 - round / ROUNDS) * (share[answer] ?? 1) });
      }
    }
  }

  /** Moves the weights towards the answer, and away from what was taken for it. */
  #correct(
    { ids, values }: Vector,
    scores: Float32Array,
    { answer, step }: { readonly answer: number; readonly step: number },
  ): void {
    const acts = scores.length;
    const wrong: number[] = [];
    for (let act = 0; act < acts; act++) {
      const error = (act === answer ? 1 : 0) - (scores[act] ?? 0);
      scores[act] = error * step;
      if (Math.abs(error) > IGNORED) wrong.push(act);
    }
    const weights = this.#weights;
    for (let at = 0; at < ids.length; at++) {
      const from = (ids[at] ?? 0) * acts;
      const value = (values[at] ?? 0) * RATE;
      for (const act of wrong) weights[from + act] = (weights[from + act] ?? 0) + value * (scores[act] ?? 0);
    }
    for (const act of wrong) addAt(this.#bias, act, BIAS_RATE * (scores[act] ?? 0));
  }

  /** The probability of each act. */
  #score({ ids, values }: Vector, scores: Float32Array): void {
    const acts = scores.length;
    const weights = this.#weights;
    scores.set(this.#bias);
    for (let at = 0; at < ids.length; at++) {
      const from = (ids[at] ?? 0) * acts;
      const value = values[at] ?? 0;
      for (let act = 0; act < acts; act++)
        scores[act] = (scores[act] ?? 0) + value * (weights[from + act] ?? 0);
    }
    let [most, sum] = [Number.NEGATIVE_INFINITY, 0];
    for (const score of scores) if (score > most) most = score;
    for (let act = 0; act < acts; act++) {
      const likelihood = Math.exp((scores[act] ?? 0) - most);
      scores[act] = likelihood;
      sum += likelihood;
    }
    for (let act = 0; act < acts; act++) scores[act] = (scores[act] ?? 0) / sum;
  }

  /** The acts that are possible, the likeliest first. */
  guess(text: ModelText, isPossible: (act: string) => boolean): readonly Guess[] {
    const scores = new Float32Array(this.acts.length);
    this.#score(this.#vectorOf(bucketsOf(text), true), scores);
    const some = this.acts.flatMap((act, at) => (isPossible(act) ? [{ act, p: scores[at] ?? 0 }] : []));
    const possible = some.reduce((sum, { p }) => sum + p, 0);
    const whole = possible + IMPOSSIBLE * (1 - possible);
    return some.map(({ act, p }) => ({ act, p: p / whole })).sort((one, other) => other.p - one.p);
  }
}

/** Fisher and Yates, with a generator of its own: the same order on every machine. */
function shuffle<Item>(items: readonly Item[], seed: number): readonly Item[] {
  const shuffled = [...items];
  let state = seed + 1;
  for (let at = shuffled.length - 1; at > 0; at--) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const other = state % (at + 1);
    const [one, two] = [shuffled[at], shuffled[other]];
    if (one === undefined || two === undefined) continue;
    shuffled[at] = two;
    shuffled[other] = one;
  }
  return shuffled;
}
