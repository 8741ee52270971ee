import { describe, expect, it } from 'vitest';
import { flows } from '../../src/conversation/flows/index.ts';
import { WORDING } from '../../src/i18n.ts';
import { commands } from '../support/conversation.ts';
import { missingWords } from '../support/flow-words.ts';

describe('a flow', () => {
  it('is missed by its words: flow, language and key are named', () => {
    const { 'choice.history': _, ...vi } = WORDING.vi;
    expect(missingWords(flows, { ...WORDING, vi })).toEqual(['history, vi, choice.history']);
  });

  it('has a command in every menu, before what all conversations have', () => {
    const names = flows.map(({ name }) => name);
    expect(commands.map(({ name }) => name)).toEqual([...names, 'language', 'privacy', 'help', 'cancel']);
  });
});
