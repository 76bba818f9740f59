import { descriptorPassing } from './descriptor-passing.js';
import { stringifyJson } from './json.js';
import type { Received } from './message.js';
import type { Session } from './session.js';

const impossible = 'descriptors can be sent over unix sockets only, on 64-bit Linux, with the package koffi installed';

/** Why this connection cannot carry descriptors; undefined when it can. */
export async function lacksDescriptors(session: Session): Promise<string | undefined> {
  if (session.carries) return undefined;
  const able = session.address.startsWith('unix:') && session.socket !== undefined;
  return able && (await descriptorPassing()) !== undefined ? undefined : impossible;
}

/**
 * Sends bytes of which the first carries descriptors of this process (QMP-FD-01); they stay open here.
 * @throws Error where descriptors cannot travel
 */
export async function sendWithDescriptors(
  session: Session,
  bytes: Buffer | string,
  descriptors: readonly number[],
): Promise<void> {
  const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
  const lacking = await lacksDescriptors(session);
  if (lacking !== undefined) throw new Error(lacking);
  session.transcript.add(session.endpoint, 'note', `${descriptors.length} descriptors ride on the next bytes`);
  if (session.carries) return session.sendCarried(buffer, descriptors);
  const passing = await descriptorPassing();
  if (passing === undefined) throw new Error(impossible);
  await session.sendPast(buffer, (socket, rest) => passing.send(socket, rest, descriptors));
}

/** Sends a command on whose line descriptors ride, and waits for its reply. @throws as {@link sendWithDescriptors} */
export async function commandWithDescriptors(
  session: Session,
  execute: string,
  args: unknown,
  descriptors: readonly number[],
): Promise<Received> {
  const since = session.mark();
  const id = session.freshId();
  const line = stringifyJson({ execute, ...(args === undefined ? {} : { arguments: args }), id });
  await sendWithDescriptors(session, Buffer.from(`${line}\n`), descriptors);
  return session.reply(id, { since, command: execute });
}
