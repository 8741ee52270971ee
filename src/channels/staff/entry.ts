import type { ChannelEntry } from '../channel.ts';
import { STAFF } from './schemas.ts';

export const staff: ChannelEntry<{ readonly staffToken: string | undefined }> = {
  traits: STAFF,
  traced: true,
  async open({ staffToken }, { sandboxed, ...parts }) {
    const { createStaff } = await import('./staff.ts');
    const channel = createStaff({ ...parts, audited: !sandboxed });
    // With a real AntCRM and no token nobody passes the guard.
    if (staffToken === undefined && !sandboxed) {
      return { ...channel, greeting: () => ['Staff webhook and console are off (STAFF_TOKEN is unset)'] };
    }
    return { ...channel, greeting: ({ adminUrl }) => greeting(adminUrl, staffToken !== undefined) };
  },
};

/** Where to chat, and a line to paste. */
function greeting(url: string, needsToken: boolean): readonly string[] {
  const token = needsToken ? ` -H "Authorization: Bearer $STAFF_TOKEN"` : '';
  const body = '{"conversation":"qa-1","text":"tích điểm TIVInpmx8b98pfg"}';
  return [
    `Chat:  ${url}/console  ·  API: ${url}/docs`,
    `Try:   curl -sw '\\n' ${url}/webhooks/staff -H 'Content-Type: application/json'${token} -d '${body}'`,
  ];
}
