import { type Decision, say } from '../decision.ts';
import type { Scope } from '../flow.ts';
import type { Locale } from '../message.ts';
import type { Line, Reply } from '../reply.ts';
import type { ConversationState } from '../state.ts';
import { provedIn } from './identity.ts';
import { again, aside, askLanguage, home, homeWithShortcuts } from './questions.ts';

export function welcome(state: ConversationState, scope: Scope): Decision {
  return homeWithShortcuts(state, scope, { key: 'welcome' });
}

export function menu(state: ConversationState, scope: Scope): Decision {
  return homeWithShortcuts(state, scope, { key: 'menu' });
}

/** What I can do and who can help; then the live question again, so that asking for help loses nothing. */
export function help(state: ConversationState, scope: Scope): Decision {
  const flows = scope.flows.all.map(({ name }) => ({ key: `help.${name}` }));
  const reply: Reply = { key: 'help', lines: [...flows, { key: 'help.more' }, ...supportLines(scope)] };
  return aside(state, scope, reply);
}

/** Somebody asks for a person. */
export function support(state: ConversationState, scope: Scope): Decision {
  const [contact] = supportLines(scope);
  return aside(state, scope, contact ?? { key: 'support.none' });
}

export function supportLines({ settings }: Scope): Line[] {
  return settings.supportContact
    ? [{ key: 'help.support', params: { contact: settings.supportContact } }]
    : [];
}

/** Ends what was begun. What was proved for it needs no second proof, unless its customer wants nothing remembered. */
export function cancel(state: ConversationState, scope: Scope): Decision {
  if (state.step.at === 'idle') return home(state, scope, { key: 'cancel.nothing' });
  const draft = state.consent?.given === false ? {} : provedIn(state.draft);
  return home({ ...state, step: { at: 'idle' }, draft }, scope, { key: 'cancel.done' });
}

export function language(state: ConversationState, scope: Scope, locale?: Locale): Decision {
  if (locale === undefined) {
    // The question that was live stays so: choosing a language is no answer to it.
    const asked = state.view === undefined ? { ...state, view: scope.ids.view } : state;
    return say(asked, askLanguage(asked));
  }
  const chosen = { ...state, locale };
  const reply: Reply = { key: 'language.done' };
  return chosen.step.at === 'idle' ? home(chosen, scope, reply) : again(chosen, scope, reply);
}
