import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { type Member, webChat } from './web-chat.ts';

/** The sandbox knows him. A real site would look its session up in `whoIs`; here everybody is Garnacho. */
const GARNACHO: Member = { id: 'garnacho', name: 'Garnacho', email: 'garnacho@gmail.com' };

const read = readConfig({ PORT: process.env.PORT, LOG_LEVEL: 'warn' });
if (!read.ok) throw new Error(read.faults.join('\n'));
const app = await createApp(read.config, { channels: [webChat(() => GARNACHO)] });
const at = await app.listen();
await app.start();
console.log(app.channels.greeting(at).join('\n'));

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void app.stop());
