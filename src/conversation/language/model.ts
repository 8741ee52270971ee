/*
 * Which act a text is likeliest to be: multinomial logistic regression over hashed words and letters, learnt
 * from the example lines when a process starts. The same lines in the same order give the same model.
 */

import { remembered } from './tokens.ts';

/** A text as the model sees it. */
export type ModelText = {
  /** Its folded words, without values. */
  readonly words: readonly string[];
  /** Its words that have marks, as they are spelt. */
  readonly spelt: readonly string[];
  /** Its words behind a denial. */
  readonly denied: readonly string[];
};

/** A line to learn from, in the variants that the rounds of learning take in turn. */
export type Lesson = { readonly act: string; readonly variants: readonly [ModelText, ...ModelText[]] };

/** `p`: how likely the act is (0–1), of those that are possible. */
export type Guess = { readonly act: string; readonly p: number };

/** Rounds over all lines, with a falling rate. More rounds fit the lines, not the strangers. */
const ROUNDS = 3;
const RATE = 7;
const BIAS_RATE = 0.12;
/** How much rare acts weigh (0: as often as their lines; 1: all the same). */
const BALANCE = 0.3;
/** A line that the model already takes for its act with this probability teaches nothing, for two rounds. */
const KNOWN = 0.95;
/** Errors of an act below this probability change no weight. */
const IGNORED = 0.003;
/** Unknown features make a text shorter: the model is less sure of strange words. */
const STRANGENESS = 0.7;
/** How much of what acts that are impossible here take away counts as doubt. */
const IMPOSSIBLE = 0.5;
/** What fewer lines have is no feature: it costs half of the memory and tells strangers nothing. */
const LEAST_LINES = 2;
/** What is less likely is no guess. */
const LEAST_LIKELY = 0.002;
/**
 * How much more the words that few lines have count than the others. 0: not at all; 1: by their logarithm.
 */
const RARITY = 1.4;
/** A feature is known by this many bits of its hash. */
const HASH_BITS = 18;
const BUCKETS = 1 << HASH_BITS;
/** This many letters within a word, its edges among them, are a feature. Fewer tell strangers too little. */
const LETTERS_TOGETHER = 4;
/** The rest of a longer word gives no features, the rest of a longer text no words. */
const MOST_WORD = 20;
const MOST_WORDS = 60;
/** Longer texts are all as long as this. */
const MOST_LENGTH = 8;

const SEED = 2_166_136_261;
const PRIME = 16_777_619;
const WORD = 1;
const PAIR = 2;
const SPELT = 3;
const LETTERS = 4;
const LENGTH = 5;
const DENIED = 6;

function hash(text: string, from: number): number {
  let value = from;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), PRIME);
  return value;
}
/** FNV-1a leaves its high bits weak. */
function toBucket(value: number): number {
  const mixed = Math.imul(value, PRIME);
  return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) >>> (32 - HASH_BITS);
}

/** Adds to a number of an array: its elements are never undefined, but the compiler cannot know. */
function addAt(array: Float32Array | Int32Array, at: number, value: number): void {
  array[at] = (array[at] ?? 0) + value;
}

/** The buckets of a word and of the letters within it. */
const bucketsOfWord = remembered((word: string): readonly number[] => {
  const edged = `_${word}_`;
  const buckets = [toBucket(hash(word, SEED ^ WORD))];
  for (let at = 0; at + LETTERS_TOGETHER <= edged.length; at++)
    buckets.push(toBucket(hash(edged.slice(at, at + LETTERS_TOGETHER), SEED ^ LETTERS)));
  return buckets;
});

/** Numbers in a row, in an array that grows. */
class Row {
  values = new Int32Array(1 << 16);
  length = 0;

  push(value: number): void {
    if (this.length === this.values.length) {
      const wider = new Int32Array(2 * this.length);
      wider.set(this.values);
      this.values = wider;
    }
    this.values[this.length] = value;
    this.length += 1;
  }
}

/** Adds the buckets of a text's words, pairs of words, spelling, letters within words and length. */
function addBuckets({ words, spelt, denied }: ModelText, add: (bucket: number) => void): void {
  const isDenied = new Set(denied);
  let before = hash('^', SEED ^ PAIR);
  for (const typed of words.length > MOST_WORDS ? words.slice(0, MOST_WORDS) : words) {
    const word = typed.slice(0, MOST_WORD);
    if (!isDenied.has(typed)) for (const bucket of bucketsOfWord(word)) add(bucket);
    add(toBucket(hash(word, before)));
    before = hash(' ', hash(word, SEED ^ PAIR));
  }
  add(toBucket(hash('$', before)));
  for (const word of spelt.slice(0, MOST_WORDS)) add(toBucket(hash(word.slice(0, MOST_WORD), SEED ^ SPELT)));
  for (const word of denied.slice(0, MOST_WORDS))
    add(toBucket(hash(word.slice(0, MOST_WORD), SEED ^ DENIED)));
  add(toBucket(SEED ^ LENGTH ^ Math.min(words.length, MOST_LENGTH)));
}

/** A vector: `[from, to)` of two arrays, which the vectors of all lines share. */
type Vector = {
  readonly ids: Int32Array;
  readonly values: Float32Array;
  readonly from: number;
  readonly to: number;
};
/** A line with the vectors of its variants. */
type Pupil = { readonly answer: number; readonly vectors: readonly Vector[] };
/** A line, and where the buckets of each of its variants end. */
type BucketLine = { readonly act: string; readonly ends: readonly number[] };

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

  constructor(lessons: Iterable<Lesson>) {
    const { buckets, lines } = readLessons(lessons);
    this.acts = [...new Set(lines.map(({ act }) => act))].sort();
    const counts = new Int32Array(BUCKETS);
    let from = 0;
    for (const { ends } of lines) {
      for (let at = from; at < (ends[0] ?? 0); at++) addAt(counts, buckets[at] ?? 0, 1);
      from = ends.at(-1) ?? from;
    }
    this.#idf = this.#nameFeatures(counts, lines.length);
    this.#rarest = Math.log(1 + lines.length) ** RARITY;
    this.#weights = new Float32Array(this.#idf.length * this.acts.length);
    this.#bias = new Float32Array(this.acts.length);
    this.#learn(this.#toPupils(lines, buckets));
  }

  /** The memory of the weights, which is most of the model's. */
  get bytes(): number {
    return this.#weights.byteLength;
  }

  /** Numbers the buckets that the lines have; returns how telling each is. */
  #nameFeatures(counts: Int32Array, lines: number): Float32Array {
    const idf: number[] = [];
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = counts[bucket] ?? 0;
      if (count < LEAST_LINES) continue;
      this.#ids[bucket] = idf.length;
      idf.push(Math.log(1 + lines / count) ** RARITY);
    }
    return Float32Array.from(idf);
  }

  #toPupils(lines: readonly BucketLine[], buckets: Int32Array): readonly Pupil[] {
    const answers = new Map(this.acts.map((act, at) => [act, at]));
    const room = { ids: new Int32Array(buckets.length), values: new Float32Array(buckets.length) };
    let from = 0;
    return lines.map(({ act, ends }) => ({
      answer: answers.get(act) ?? 0,
      vectors: ends.map((end) => {
        const vector = this.#toVector(buckets.subarray(from, end), { ...room, from });
        from = end;
        return vector;
      }),
    }));
  }

  /** Writes a vector of length 1. What no line has makes it shorter, by `strangeness`. */
  #toVector(buckets: Int32Array, { ids, values, from }: Omit<Vector, 'to'>, strangeness = 0): Vector {
    let to = from;
    let square = 0;
    for (let at = 0; at < buckets.length; at++) {
      const id = this.#ids[buckets[at] ?? 0] ?? -1;
      const idf = id >= 0 ? (this.#idf[id] ?? 0) : this.#rarest * strangeness;
      square += idf * idf;
      if (id < 0) continue;
      ids[to] = id;
      values[to] = idf;
      to += 1;
    }
    const length = Math.sqrt(square) || 1;
    for (let at = from; at < to; at++) values[at] = (values[at] ?? 0) / length;
    return { ids, values, from, to };
  }

  #learn(pupils: readonly Pupil[]): void {
    const lines = new Float32Array(this.acts.length);
    for (const { answer } of pupils) addAt(lines, answer, 1);
    const share = lines.map((count) => (pupils.length / this.acts.length / count) ** BALANCE);
    const scores = new Float32Array(this.acts.length);
    let order = pupils;
    let known = new Set<Pupil>();
    for (let round = 0; round < ROUNDS; round++) {
      const knownBefore = known;
      known = new Set();
      order = shuffle(order, round);
      for (const pupil of order) {
        const { answer, vectors } = pupil;
        const vector = vectors[round % vectors.length];
        if (!vector || knownBefore.has(pupil)) continue;
        this.#score(vector, scores);
        if ((scores[answer] ?? 0) > KNOWN) known.add(pupil);
        else this.#correct(vector, scores, { answer, step: (1 - round / ROUNDS) * (share[answer] ?? 1) });
      }
    }
  }

  /** Moves the weights towards the answer, and away from what was taken for it. */
  #correct(
    { ids, values, from, to }: Vector,
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
    for (let at = from; at < to; at++) {
      const row = (ids[at] ?? 0) * acts;
      const value = (values[at] ?? 0) * RATE;
      for (const act of wrong) weights[row + act] = (weights[row + act] ?? 0) + value * (scores[act] ?? 0);
    }
    for (const act of wrong) addAt(this.#bias, act, BIAS_RATE * (scores[act] ?? 0));
  }

  /** The probability of each act. */
  #score(vector: Vector, scores: Float32Array): void {
    this.#addWeights(vector, scores);
    let most = Number.NEGATIVE_INFINITY;
    let sum = 0;
    for (const score of scores) if (score > most) most = score;
    const acts = scores.length;
    for (let act = 0; act < acts; act++) {
      const likelihood = Math.exp((scores[act] ?? 0) - most);
      scores[act] = likelihood;
      sum += likelihood;
    }
    for (let act = 0; act < acts; act++) scores[act] = (scores[act] ?? 0) / sum;
  }

  /** Four features at a time: each score is read and written once for all of them. */
  #addWeights({ ids, values, from, to }: Vector, scores: Float32Array): void {
    const acts = scores.length;
    const weights = this.#weights;
    scores.set(this.#bias);
    const idAt = (at: number) => (at < to ? (ids[at] ?? 0) : 0);
    const valueAt = (at: number) => (at < to ? (values[at] ?? 0) : 0);
    for (let at = from; at < to; at += 4) {
      const one = idAt(at);
      const two = idAt(at + 1);
      const three = idAt(at + 2);
      const four = idAt(at + 3);
      const a = valueAt(at);
      const b = valueAt(at + 1);
      const c = valueAt(at + 2);
      const d = valueAt(at + 3);
      for (let act = 0; act < acts; act++)
        scores[act] =
          (scores[act] ?? 0) +
          a * (weights[one * acts + act] ?? 0) +
          b * (weights[two * acts + act] ?? 0) +
          c * (weights[three * acts + act] ?? 0) +
          d * (weights[four * acts + act] ?? 0);
    }
  }

  /** The acts that are possible, the likeliest first. */
  guess(text: ModelText, isPossible: (act: string) => boolean): readonly Guess[] {
    const scores = new Float32Array(this.acts.length);
    const found = new Set<number>();
    addBuckets(text, (bucket) => found.add(bucket));
    const buckets = Int32Array.from(found);
    const { length } = buckets;
    const room = { ids: new Int32Array(length), values: new Float32Array(length), from: 0 };
    this.#score(this.#toVector(buckets, room, STRANGENESS), scores);
    const guesses: Guess[] = [];
    let possible = 0;
    for (const [at, act] of this.acts.entries()) {
      if (!isPossible(act)) continue;
      const p = scores[at] ?? 0;
      possible += p;
      if (p >= LEAST_LIKELY) guesses.push({ act, p });
    }
    const whole = possible + IMPOSSIBLE * (1 - possible);
    return guesses.map(({ act, p }) => ({ act, p: p / whole })).sort((one, other) => other.p - one.p);
  }
}

/** The buckets of all lines in one row, each once for a variant. */
function readLessons(lessons: Iterable<Lesson>) {
  const row = new Row();
  const seenIn = new Int32Array(BUCKETS);
  let variants = 0;
  const add = (bucket: number) => {
    if (seenIn[bucket] === variants) return;
    seenIn[bucket] = variants;
    row.push(bucket);
  };
  const lines = Array.from(lessons, (lesson): BucketLine => {
    const ends = lesson.variants.map((text) => {
      variants += 1;
      addBuckets(text, add);
      return row.length;
    });
    return { act: lesson.act, ends };
  });
  return { lines, buckets: row.values.subarray(0, row.length) };
}

/** Fisher and Yates, with a separate generator: the same order on every machine. */
function shuffle<Item>(items: readonly Item[], seed: number): readonly Item[] {
  const shuffled = [...items];
  let state = seed + 1;
  for (let at = shuffled.length - 1; at > 0; at--) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const other = state % (at + 1);
    const one = shuffled[at];
    const two = shuffled[other];
    if (one === undefined || two === undefined) continue;
    shuffled[at] = two;
    shuffled[other] = one;
  }
  return shuffled;
}
