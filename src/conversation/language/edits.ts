import type { CodeRef, Spoken } from '../commands.ts';
import { findSigns, type Sign, type Span } from './frames.ts';
import { fieldIn, type ParsedText, says } from './parser.ts';
import { actOf, isIn, type Part } from './phrases.ts';

/*
 * What a text makes of the codes at hand. The word beside each code that is named says whether it goes ("bỏ X"), stays alone
 * ("chỉ lấy X") or takes the place of another ("thay bằng X"). Where a text speaks of no code by its name or its place, which
 * one is meant is asked.
 */

/** Codes that a text names together, and the sign beside them. */
type Mention = { readonly refs: readonly CodeRef[]; readonly sign: Sign | undefined };

function refOf({ value }: Part): CodeRef | undefined {
  switch (value?.kind) {
    case 'code':
      return { code: value.code };
    case 'place':
      return { place: value.place };
    case 'end':
      return { end: value.end };
    default:
      return undefined;
  }
}

/** The codes that a text names, those that stand together as one. */
function mentionsIn(parts: readonly Part[]): readonly Mention[] {
  const spans: Span[] = [];
  for (let at = 0; at < parts.length; at++) {
    const from = at;
    let to = at;
    for (let next = at; next < parts.length; next++) {
      const part = parts[next];
      if (part && refOf(part)) to = next + 1;
      else if (!part || to === from || !isIn(part, 'codes join', 'code')) break;
    }
    if (to > from) spans.push({ from, to });
    at = Math.max(at, to - 1);
  }
  const signs = findSigns(parts, spans);
  return spans.map(({ from, to }, at) => ({
    refs: parts.slice(from, to).flatMap((part) => refOf(part) ?? []),
    sign: signs[at],
  }));
}

/** What a text does to the codes at hand; undefined where it only names more of them, or none. */
export function editOf(said: ParsedText, codes: readonly string[]): Spoken | undefined {
  if (codes.length === 0) return undefined;
  const mentions = mentionsIn(said.parts);
  const signed = (sign: Sign) => mentions.flatMap((mention) => (mention.sign === sign ? mention.refs : []));
  const isNew = (ref: CodeRef): ref is { readonly code: string } =>
    'code' in ref && !isAtHand(ref.code, codes);
  const fresh = [...new Set(mentions.flatMap(({ refs }) => refs.filter(isNew).map(({ code }) => code)))];
  const dropped = [...signed('drop'), ...signed('deny').filter((ref) => !isNew(ref))];
  // "Đừng bỏ mã nào".
  if (dropped.length === 0 && says(said, 'stops') && said.act === 'remove') return undefined;
  if (fresh.length > 0) return replacement(said, mentions, fresh, isNew);
  const only = signed('only');
  const kept = [...only, ...signed('keep')];
  if (dropped.length > 0) return { do: 'remove', which: dropped };
  const isRest = says(said, 'codes other') && says(said, 'codes drop');
  if (only.length > 0 || (kept.length > 0 && isRest)) return { do: 'keepOnly', which: kept };
  if (signed('replace').length > 0) return { do: 'change', field: 'code' };
  return speaksOfCodes(said) ? { do: 'remove', which: [] } : undefined;
}

/** New codes take the place of those that are wrong, unless the text only adds them. */
function replacement(
  said: ParsedText,
  mentions: readonly Mention[],
  fresh: readonly string[],
  isNew: (ref: CodeRef) => boolean,
): Spoken | undefined {
  const has = (sign: Sign) => mentions.some((mention) => mention.sign === sign);
  const old = mentions.flatMap(({ refs, sign }) => (sign === 'add' ? [] : refs.filter((ref) => !isNew(ref))));
  const denied = mentions.flatMap(({ refs, sign }) =>
    refs.filter((ref) => sign === 'drop' || (sign === 'deny' && !isNew(ref))),
  );
  const wrong = has('replace') ? old : old.filter((ref) => denied.includes(ref));
  const meant = fresh.filter((code) => !denied.some((ref) => 'code' in ref && ref.code === code));
  if (wrong.length > 0 && meant.length > 0) return { do: 'replace', old: wrong, codes: meant };
  if (denied.length > 0) return { do: 'remove', which: denied };
  if (old.length > 0 || has('add')) return undefined;
  const isCorrection =
    has('replace') || has('deny') || says(said, 'faults') || /^(?:no|none|change)$/.test(said.act ?? '');
  const isOfCodes = (fieldIn(said) ?? 'code') === 'code';
  return isCorrection && isOfCodes && !says(said, 'codes add')
    ? { do: 'replace', old: [], codes: meant }
    : undefined;
}

/** A code at hand, by itself or by its end. */
function isAtHand(code: string, codes: readonly string[]): boolean {
  if (codes.includes(code)) return true;
  return code.length < 8 && codes.some((one) => one.toUpperCase().endsWith(code.toUpperCase()));
}

/** Whether the text wants some code to go, or another one to stay, without a name that tells which. */
function speaksOfCodes(said: ParsedText): boolean {
  if (fieldIn(said) === 'email' || says(said, 'stops')) return false;
  const isDrop = said.parts.some((part) => isIn(part, 'codes drop') || actOf(part) === 'remove');
  if (isDrop && says(said, 'code', 'codes other')) return true;
  return says(said, 'codes only') && says(said, 'codes other', 'code');
}
