/*
 * Defects that somebody might make, each a change of one place in the sources that breaks a promise (docs/guarantees.md).
 * `npm run mutants` shows that each is noticed: by the tests that are named beside it, or by the simulator.
 */

export type Mutant = {
  readonly kind: 'money' | 'order' | 'privacy' | 'understanding' | 'operators';
  readonly name: string;
  /** A folder of `src/`. */
  readonly room: string;
  /** Replaced wherever it stands in the room. */
  readonly from: string;
  readonly to: string;
  /** What must notice it: test files or folders, or the simulator. */
  readonly by: readonly string[] | 'simulator';
};

/** Mutants of one room that the same tests notice: by its name, what is replaced and by what. */
function of(
  kind: Mutant['kind'],
  room: string,
  by: Mutant['by'],
  changes: Readonly<Record<string, readonly [from: string, to: string]>>,
): Mutant[] {
  return Object.entries(changes).map(([name, [from, to]]) => ({ kind, name, room, from, to, by }));
}

const ANTCRM = ['sent', 'transport', 'resilience'].map((of) => `test/loyalty/antcrm-${of}.test.ts`);
const OPERATIONS = ['operations', 'operations.reads'].map((of) => `test/loyalty/${of}.test.ts`);

export const MUTANTS: readonly Mutant[] = [
  ...of('money', 'loyalty', 'simulator', {
    'no intent is written before a call': [
      'const intended = await context.intend(operation, intent);',
      "const intended = { kind: 'go' } as Awaited<ReturnType<typeof context.intend>>; void intent;",
    ],
    'an unknown outcome counts as not applied': [
      "return { kind: 'unknown', operation, lookup };",
      "return { kind: 'unavailable', operation };",
    ],
  }),
  ...of('money', 'engine', 'simulator', {
    'what an operation left itself counts as another one’s': [
      'left[text]?.by !== operation',
      'left[text] !== undefined',
    ],
  }),
  ...of('order', 'engine', 'simulator', {
    'a message that comes twice is answered twice': [
      'if (remembers(record.seen, trace, nowMs))',
      'if (false)',
    ],
    'attempts are not counted': [
      'attempts: record.attempts + (ranOut ? 1 : 0),',
      'attempts: record.attempts,',
    ],
    'a wake-up is forgotten': ['wakeMs: change.wakeMs ?? 0,', 'wakeMs: 0,'],
    'a lease that runs out is not due': [
      'if (lease !== null) return lease.untilMs;',
      'if (lease !== null) return null;',
    ],
    'what was not sent is dropped with what was': [
      'const outbox = record.outbox.filter(({ seq }) => seq > sentSeq);',
      'const outbox = record.outbox.filter(({ seq }) => sentSeq > 0 && seq > sentSeq + 1);',
    ],
    'a crashed turn’s outbox is not delivered first': [
      'outbox: isPutOff ? [] : record.outbox,',
      'outbox: [],',
    ],
    'an intent outlives its outcome': [
      'for (const operation of change.settled) delete journal[operation];',
      '',
    ],
    'a reply’s number is given twice': [
      'outSeq: record.outSeq + change.replies.length,',
      'outSeq: record.outSeq,',
    ],
    'what was put off is not due': [
      'const waitsMs = inbox.length > 0 || outbox.length > 0 ? notBeforeMs',
      'const waitsMs = inbox.length > 0 ? notBeforeMs',
    ],
    'an index does not change with its record': [
      'indexes: indexChanges(kind, name, before, record),',
      'indexes: Math.floor(world.monotonicMs()) % 7 > 0 ? indexChanges(kind, name, before, record) : [],',
    ],
    'a change is made on top of what somebody else wrote': [
      'expected: base.bytes && versionOf(base.bytes),',
      'expected: (await read(name).then(({ bytes: there }) => there && versionOf(there))),',
    ],
    'a reply that waits is passed over': [
      "if (fate.kind === 'waits') {",
      "if (fate.kind === 'waits' && fate.wait.leastMs === undefined) {",
    ],
    'only the last message is remembered': ['const REMEMBERED = 64;', 'const REMEMBERED = 1;'],
  }),
  ...of('order', 'engine', ['test/engine/fused.test.ts'], {
    'a text that killed a process is decided before it is filed, in the next one, too': [
      'const filed = await file(name, accepted, sentMs > startedMs);',
      'const filed = await file(name, accepted, true);',
    ],
  }),
  ...of('privacy', 'engine', 'simulator', {
    'a message of a phone number is logged': [
      'observe.update(channel, filed);',
      "observe.update(channel, filed); observe.log.info({ text: JSON.stringify(incoming) }, 'filed');",
    ],
  }),
  ...of('money', 'loyalty', ANTCRM, {
    'a lost answer counts as not sent': ["if (exchange.kind === 'lost') return 'unknown';", ''],
    'a server error counts as a refusal': [
      'status === 408 || status === 429 || status >= 500',
      'status === 429',
    ],
    'a suspended machine writes too late': ['|| world.nowMs() >= wallMs', ''],
    'a paused process writes too late': ['world.monotonicMs() >= monotonicMs ||', ''],
    'a redemption shares its connection': ['...(latest && { isFresh: true as const })', ''],
    'a call whose answer was lost is repeated': ["if (kind === 'write') return false;", ''],
  }),
  ...of('money', 'http', ANTCRM, {
    'a call is written after its deadline': ['call.mayBegin?.() !== false', 'true'],
  }),
  ...of('money', 'loyalty', OPERATIONS, {
    'half a baseline is a baseline': [
      'if (!read.ok || !read.value.complete) return null;',
      'if (!read.ok) return null;',
    ],
    'half a look-up decides': [
      'if (!read.ok || !read.value.complete) return { found',
      'if (!read.ok) return { found',
    ],
    'a wrong clock proves that nothing was applied': ['isMissing && !isTrusted(', 'isMissing && isTrusted('],
    'a look-up goes on beside another operation': ["locked === 'busy' ||", ''],
    'only the first page is read': ['if (!read.value.full) return', 'if (page > 0) return'],
    'a record of before the call is its own': ['[...lookup.baseline, ...settled]', '[...settled]'],
    'a record settles two operations': ['[...lookup.baseline, ...settled]', '[...lookup.baseline]'],
    'a cashier’s later record is the call’s': ['+ PROCESSING_MS }', '+ 86_400_000 }'],
    'one of two records is taken': ['inTime.length > taken + 1', 'false'],
    'a record that another one waits for is taken': ['share(older, earlier).spans', 'share(older, []).spans'],
    'a read that lacks known records decides': ['baseline.every((id) => ids.has(id))', 'true'],
    'locks of a busy operation stay': [
      'await unlockAll(sorted.slice(0, sorted.indexOf(name)), operation, context);',
      '',
    ],
    'one customer has a lock by phone and one by e-mail': [
      'contact?.customerId === undefined ? await',
      'contact === undefined ? await',
    ],
    'a lost lease calls': [
      'if (sinceIntent() > FRESH_MS && !(await context.isHeld())) throw new LeaseLost();',
      '',
    ],
    'an intent that no replica has is called': [
      "if (intended === 'unreplicated') return",
      'if (!intended) return',
    ],
    'a price that changed is not confirmed anew': ['if (effect.outdated) return', 'if (!operation) return'],
    'the lock ends before its look-ups': ['await lockAll(locks, operation, context);', ''],
    'an interrupted call is made again': [
      'const known = context.known(operation);',
      'const known = null as ReturnType<typeof context.known>;',
    ],
  }),
  ...of('money', 'engine', ['test/engine/customer.test.ts'], {
    'two redemptions of one customer at once': ['holder.operation !== operation', 'false'],
  }),
  ...of('money', 'loyalty', ['test/loyalty/antcrm-records.test.ts', 'test/loyalty/antcrm.test.ts'], {
    'a record of another status than 1 failed': ['record.status === 0', 'record.status !== 1'],
    'an answer that says nothing is a success': [
      ": 'unreadable';\n}\n\n/** AntCRM's own words for a refusal, where",
      ": 'applied';\n}\n\n/** AntCRM's own words for a refusal, where",
    ],
  }),
  ...of('money', 'engine', ['test/engine/record.test.ts'], {
    'an attempt calls again what another one called': [
      "call.by === by ? { kind: 'go' }",
      "call ? { kind: 'go' }",
    ],
    'a yes counts before its summary was delivered': [
      'head !== null && head.seq > record.knew',
      'head !== null',
    ],
  }),
  ...of('order', 'engine', ['test/engine/record.test.ts'], {
    'whoever lost the lease writes on': [
      "if (record?.lease?.owner !== owner) return { kind: 'stale' };",
      "if (!record?.lease) return { kind: 'stale' };",
    ],
    'a step is made twice': ["if (record.lease.step !== step - 1) return { kind: 'stale' };", ''],
    'a full conversation takes no decision of staff': ['if (!uncapped && isFull', 'if (isFull'],
    'messages pile up without end': ['inbox.length >= MAX_INBOX ||', ''],
    'an old process works on what a newer one wrote': [
      "if (record.schema > taking.schema) return same(record, { kind: 'newer' });",
      '',
    ],
  }),
  ...of('order', 'store', ['test/store/memory.test.ts'], {
    'a swap does not look at what is there': ['!isExpected &&', 'false &&'],
  }),
  ...of('privacy', 'engine', ['test/engine/record.test.ts'], {
    'what is forgotten stays with the dead letters': ['change.forget ? [] :', ''],
  }),
  ...of(
    'privacy',
    'loyalty',
    ['test/loyalty/linking.test.ts', 'test/loyalty/balance.test.ts', ...OPERATIONS],
    {
      'a stranger’s e-mail is tied to a phone': [
        "contacts === 'off' || (await",
        "contacts === 'off' || !(await",
      ],
      'a name is given to somebody else’s record': ['isProved(by, effect) ? name : undefined', 'name'],
      'a stranger sees a balance': ['isProved(by, effect) ? readPoints', 'true ? readPoints'],
    },
  ),
  ...of('privacy', 'loyalty', OPERATIONS, {
    'points are spent under an unproved e-mail': [
      'also !== undefined && (also.proved ||',
      'also !== undefined && (true ||',
    ],
  }),
  ...of('privacy', 'loyalty', ['test/loyalty/antcrm-records.test.ts'], {
    'somebody else’s history is shown': [
      'if (records.some(({ whose }) => whose && isAnothers(whose, by))) return null;',
      '',
    ],
    'somebody else’s record is shown': ['&& !isAnothers(only, by)', ''],
    'AntCRM’s words are logged with an e-mail in them': [".replace(/\\S*@\\S*/g, '*')", ''],
  }),
  ...of('privacy', 'loyalty', ['test/loyalty/guessing.test.ts'], {
    'codes are guessed as fast as anybody likes': ['if (left < 1)', 'if (left < -1e9)'],
  }),
  ...of('privacy', 'store', ['test/store/encryption.test.ts'], {
    'plain bytes pass for sealed ones': [
      'sealed[0] === PLAIN && current === undefined',
      'sealed[0] === PLAIN',
    ],
    'a bot with another hash key starts': ['if (check.hash !== hash) throw', 'if (!check.hash) throw'],
    'a name is the same under every key': ["createHmac('sha256', nameKey)", "createHmac('sha256', 'key')"],
  }),
  ...of('privacy', 'http', ['test/http/guard.test.ts'], {
    'a caller behind a proxy is local': [
      'if (Object.keys(headers).some((name) => FORWARDING.test(name))) return false;',
      '',
    ],
    'another site’s page is local': ["if (headers['sec-fetch-site'] === 'cross-site') return false;", ''],
  }),
  ...of('privacy', 'http', ['test/http/guard.test.ts', 'test/operators/routes.test.ts'], {
    'without a token staff pages are open to the world': [
      'settings.sandbox && !settings.publicUrl && isLocal(caller)',
      'settings.sandbox && !settings.publicUrl',
    ],
    'tokens are guessed as fast as anybody likes': ['made.isAllowed || !made.isExceeded', 'true'],
    'a browser sends the operators’ token by itself': ["api: only('bearer')", "api: only('browser')"],
  }),
  ...of('privacy', 'http', ['test/http/transport.test.ts'], {
    'a call goes to a foreign host': ['if (!allows(call.origin))', 'if (!call.origin)'],
    'an answer of any size is read': ['if (size <= maxBytes) return;', 'if (size > 0) return;'],
  }),
  ...of('privacy', 'photos', ['test/photos/hostile.test.ts'], {
    'a small file unpacks to a huge picture': ['size.width * size.height > MAX_PIXELS', 'size.width < 0'],
    'what decodes pictures sees the keys': ['env: {},', ''],
  }),
  ...of(
    'privacy',
    'channels',
    ['test/channels/telegram/webhook.test.ts', 'test/channels/telegram/incoming.test.ts'],
    {
      'anybody may be Telegram': [
        "if (typeof given === 'string' && isSecret(given, secret)) return;",
        'return;',
      ],
      'somebody else’s contact proves a phone': ['contact?.user_id === from.id', 'contact?.user_id !== 0'],
      'a forwarded contact proves a phone': ['return direct && isPrivate(chat)', 'return isPrivate(chat)'],
      'a group hears what is private': ["return chat?.type === 'private';", 'return true;'],
    },
  ),
  ...of('privacy', 'channels', ['test/channels/teams/deliver.test.ts'], {
    'a guest’s e-mail counts': ["userRole?.toLowerCase() === 'user'", 'true'],
    'another directory’s e-mail counts': ['|| !trusted.has(tenant)', ''],
  }),
  ...of('privacy', 'conversation', ['test/conversation/dialogues.test.ts'], {
    'a typed phone opens a history': ["sender.proof === 'token';", "sender.proof !== 'profile';"],
    'what is typed counts as much as what is proved': [
      'if (draft.phone?.proved) return',
      'if (draft.phone) return',
    ],
  }),
  ...of('understanding', 'conversation', ['test/conversation/texts.test.ts'], {
    'a number without its zero is not asked for': ["{ ask: 'leadingZero', ...guess }", 'guess'],
    'an old number stays old': ["'166 36', ", ''],
    'a mistyped domain is not noticed': ['betterDomain(domain);', 'undefined;'],
    'half a word is a code': ['code.length < 4 ?', 'code.length < 1 ?'],
  }),
  ...of('understanding', 'conversation', ['test/conversation/period.test.ts'], {
    'a week begins on Sunday': ['(day / DAY_MS + 3)', '(day / DAY_MS + 4)'],
    'a month ago is a day that it did not have': ['- 1) * DAY_MS, last)', '- 1) * DAY_MS)'],
    'a day begins when it does in London': ['candidates.find((ms)', 'day ?? candidates.find((ms)'],
  }),
  ...of('privacy', 'conversation', ['test/conversation/texts.test.ts'], {
    'a masked phone can be used': ['e164.slice(-3)}`', 'e164.slice(4)}`'],
  }),
  ...of('order', 'conversation', 'simulator', {
    'what is written beside a person is interpreted': [
      'const passed = openTicket(state) && toStaff',
      'const passed = undefined && toStaff',
    ],
  }),
  ...of('order', 'engine', ['test/channels/staff/tickets.test.ts'], {
    'an answer to a closed ticket is taken': ['!isSaid && found.ticket.closed', 'false'],
    'a quiet reply is no end of a turn': [
      'outgoing.reply.quiet && !platform(channel)?.hearsQuiet',
      'outgoing.reply.quiet',
    ],
  }),
  ...of('privacy', 'conversation', ['test/conversation/dialogues.test.ts'], {
    'an erased ticket keeps what was said': ['notes: [], closed, erased: true };', 'closed, erased: true };'],
    'a sentence is kept of whoever did not agree': ['!isMissed || !hasAgreed(state)', '!isMissed'],
  }),
  ...of('understanding', 'conversation', ['test/conversation/texts.test.ts'], {
    'đ is a letter of its own': [".replaceAll('đ', 'd')", ''],
    'letters that nobody sees count': [".replace(INVISIBLE, '')", ''],
  }),
  ...of('operators', 'operators', ['test/operators/decisions.test.ts'], {
    'the last decision counts': [
      'expected: null, bytes, ttlMs',
      'expected: (await records.read(key)).bytes?.subarray(0, 13) ?? null, bytes, ttlMs',
    ],
  }),
  ...of('operators', 'operators', ['test/operators/story.test.ts', 'test/operators/routes.test.ts'], {
    'a phone is shown unasked': ['value: reveal ? full : masked', 'value: full'],
    'what waits for staff waits for the bot': [
      "nowMs < checkedUntilMs ? 'bot' : 'staff'",
      "nowMs > 0 ? 'bot' : 'staff'",
    ],
  }),
  ...of('operators', 'operators', ['test/operators/routes.test.ts'], {
    'nobody knows who was shown a phone': ["if (reveal === 'true')\n", "if (reveal === 'never')\n"],
    'phones stay in caches': ["reply.header('cache-control', 'no-store');", 'reply;'],
    'a dead letter is removed without a trace': [
      "note(request, request.body?.by, 'removes a dead letter'",
      "void (request, 'removes a dead letter'",
    ],
  }),
];
