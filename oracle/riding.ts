/** Descriptors of a scenario: which file they are of does not matter, only that they come. */
import { closeSync, openSync } from 'node:fs';
import { commandWithDescriptors, lacksDescriptors } from '../protocol/descriptor-sending.js';
import type { Session } from '../protocol/session.js';
import type { Target } from '../targets/target.js';

/** Descriptors of ours come to the monitor over this connection. */
export const mayRide = async (session: Session, target: Target): Promise<boolean> =>
  target.lacks('direct') === undefined && (await lacksDescriptors(session)) === undefined;

/** A command on which descriptors ride, of a file in which there is nothing. */
export async function commandRidden(session: Session, execute: string, args: unknown, count: number): Promise<void> {
  const files = Array.from({ length: count }, () => openSync('/dev/null', 'r'));
  try {
    await commandWithDescriptors(session, execute, args, files);
  } finally {
    for (const file of files) closeSync(file);
  }
}
