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
import { $, addressParts, emit, followEvents } from './page.js';
import { refresh } from './tickets.js';

/*
 * The inbox: a list of tickets, one conversation, and what helps to answer it. Each part is a module that
 * listens to the events of `tickets.js`. This one follows the news of tickets: it refreshes, and emits `news`
 * ({ ticket, what }).
 */

function followNews() {
  followEvents(
    'staff/tickets/events',
    (news) => {
      emit('news', news);
      void refresh();
    },
    {
      onLink(isConnected) {
        $('link').hidden = isConnected;
        if (isConnected) void refresh();
      },
    },
  );
}

// With HANDOVER=off no tickets are read, so nothing is followed.
addEventListener('tickets', followNews, { once: true });
addEventListener('view', () => addressParts()[0] === 'inbox' && refresh());
void refresh();
