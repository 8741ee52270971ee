import type { Flow } from '../flow.ts';

/** What was earned or redeemed: proved phone or e-mail → pages, shown in place. */
export const history: Flow = {
  name: 'history',
  priority: 30,
  identity: 'proved',
  slots: ['phone', 'list', 'period'],
  end: { reads: 'pages' },
};
