import en from '../../locales/en.json' with { type: 'json' };
import vi from '../../locales/vi.json' with { type: 'json' };

export type Language = 'vi' | 'en';
export type Key = keyof typeof vi & keyof typeof en;

const PLACEHOLDER = /\{\{.*?\}\}/;

/** Whether `text` is, or has a line, that `key` words in this language. */
export function says(text: string, key: Key, language: Language): boolean {
  return pattern(key, language).test(text);
}

function pattern(key: Key, language: Language): RegExp {
  const fixed = { vi, en }[language][key].split(PLACEHOLDER).map((part) => RegExp.escape(part));
  return new RegExp(`(^|\\n)${fixed.join('.+')}(\\n|$)`);
}
