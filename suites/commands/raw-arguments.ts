/** Commands whose arguments are given as JSON text: for what no JSON writer writes, such as `1.0`. */
import type { Received } from '../../protocol/message.js';
import type { Session } from '../../protocol/session.js';

/** Sends the command with this text as `arguments` and waits for its reply. */
export async function rawCommand(session: Session, execute: string, argumentsText: string): Promise<Received> {
  const id = session.freshId();
  const since = session.mark();
  await session.sendBytes(`{"execute":${JSON.stringify(execute)},"arguments":${argumentsText},"id":"${id}"}\n`);
  return session.reply(id, { since, command: execute });
}

/** `{"a":…,"b":…}` from members whose values are JSON text already; they keep their order. */
export const objectText = (members: readonly (readonly [name: string, text: string])[]): string =>
  `{${members.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;
