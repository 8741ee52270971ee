import './ticket-list.js';
import './conversation.js';
import './composer.js';
import './attach.js';
import './media.js';
import './delivery.js';
import './facts.js';
import './card.js';
import './people.js';
import './notes.js';
import './search.js';
import './notice.js';
import { $, follow, place, tell } from './page.js';
import { look } from './tickets.js';

/*
 * The inbox: a list of tickets, one conversation, and what helps to answer it. Each part is a module that listens to the events
 * of `tickets.js`; this one reads when there is news, and tells it as `news` ({ ticket, what }) to parts that want it.
 */

function begin() {
  follow(
    'staff/tickets/events',
    (news) => {
      tell('news', news);
      void look();
    },
    {
      onLink(stands) {
        $('link').hidden = stands;
        if (stands) void look();
      },
    },
  );
}

// Where no person answers, no tickets are read and nothing is followed.
addEventListener('tickets', begin, { once: true });
addEventListener('view', () => place()[0] === 'inbox' && look());
void look();
