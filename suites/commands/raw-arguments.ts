/** Commands whose arguments are given as JSON text: for what no JSON writer writes, such as `1.0`. */
import type { Received } from '../../protocol/message.js';
import type { Session } from '../../protocol/session.js';

/** Sends the command with this text as `arguments` and waits for its reply. */
export async function rawCommand(session: Session, execute: string, argumentsText: string): Promise<Received> {
  const [reply] = await rawCommands(session, execute, [argumentsText]);
  return reply as Received;
}

/** Sends the command once with each text, without waiting in between, and waits for all replies. */
export async function rawCommands(
  session: Session,
  execute: string,
  argumentsTexts: readonly string[],
): Promise<Received[]> {
  const since = session.mark();
  const ids: string[] = [];
  for (const text of argumentsTexts) {
    const id = session.freshId();
    ids.push(id);
    await session.sendBytes(`{"execute":${JSON.stringify(execute)},"arguments":${text},"id":"${id}"}\n`);
  }
  const replies: Received[] = [];
  for (const id of ids) replies.push(await session.reply(id, { since, command: execute }));
  return replies;
}

/** `{"a":…,"b":…}` from members whose values are JSON text already; they keep their order. */
export const objectText = (members: readonly (readonly [name: string, text: string])[]): string =>
  `{${members.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;
