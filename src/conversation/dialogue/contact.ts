import { after, type Decision } from '../decision.ts';
import type { Scope } from '../flow.ts';
import { parsePhone } from '../language/values/phone.ts';
import type { Message } from '../message.ts';
import { unanswered } from '../prompts/consent.ts';
import { showPhone } from '../prompts/mask.ts';
import { again, home } from '../prompts/questions.ts';
import type { ConversationState } from '../state.ts';
import { invalid } from './answer.ts';
import { advance, runningIn } from './form.ts';
import { offer } from './offer.ts';

/**
 * A shared contact. The sender's own number is proved and replaces what was known; anybody else's is worth a typed
 * one, which adds points but reads and spends nothing. An old number is asked about, as a typed one is.
 */
export function onContact(
  stored: ConversationState,
  contact: Extract<Message, { kind: 'contact' }>,
  scope: Scope,
): Decision {
  const state = unanswered(stored, scope);
  const flow = runningIn(state, scope);
  // Telegram leaves the plus sign out.
  const parsed = parsePhone(
    /^\d{9,15}$/.test(contact.phone) && !contact.phone.startsWith('0') ? `+${contact.phone}` : contact.phone,
  );
  if (!parsed.ok) {
    return state.step.at === 'asking'
      ? invalid(state, state.step, parsed.reason, scope)
      : again(state, scope, { key: parsed.reason });
  }
  if (!contact.own && flow?.identity !== 'typed') {
    const notOwn = { key: 'identity.notOwn' };
    return flow ? again(state, scope, notOwn) : home(state, scope, notOwn);
  }
  if (parsed.ask) {
    const known = { why: parsed.ask, value: parsed.value, ...(contact.own && { typed: contact.phone }) };
    if (flow && offered(state)?.why !== 'code')
      return offer(state, { at: 'asking', flow: flow.name, slot: 'phone', tries: 0 }, known, scope);
    const renumbered = { key: `phone.${parsed.ask}.form` };
    return flow ? again(state, scope, renumbered) : home(state, scope, renumbered);
  }
  const phone = { value: parsed.value, proved: contact.own };
  const known = state.draft.phone ?? state.profile.phone;
  const replaces = known !== undefined && known.value !== phone.value;
  const confirmed =
    contact.own && (replaces || !flow)
      ? [
          {
            key: 'identity.phone',
            context: replaces ? 'replaced' : undefined,
            params: { phone: showPhone(phone.value) },
          },
        ]
      : [];
  const profile = state.consent?.given && contact.own ? { ...state.profile, phone } : state.profile;
  const next: ConversationState = { ...state, profile, draft: { ...state.draft, phone } };
  if (flow) return after(confirmed, advance(next, flow, scope));
  const [reply] = confirmed;
  const menu = home(next, scope, reply ?? { key: 'menu' });
  // Kept for the flow that follows; it ends with it, or after half an hour.
  return { ...menu, state: { ...menu.state, draft: { phone } } };
}

const offered = ({ step }: ConversationState) => (step.at === 'asking' ? step.offer : undefined);
