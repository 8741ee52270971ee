import Fastify from 'fastify';
import { createSandbox } from '../../src/sandbox/sandbox.ts';
import { loyaltyContract } from '../contract/loyalty.ts';
import { openAntCrm } from './support/antcrm.ts';

loyaltyContract('the HTTP adapter before the sandbox', async () => {
  const app = Fastify();
  await app.register(createSandbox(), { prefix: '/sandbox' });
  const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/sandbox`;
  const { antCrm } = openAntCrm(url);
  return {
    loyalty: antCrm,
    async fault(fault) {
      const response = await app.inject({ method: 'POST', url: '/sandbox/faults', payload: fault });
      if (response.statusCode !== 200) throw new Error(response.body);
    },
    async close() {
      await antCrm.close();
      await app.close();
    },
  };
});
