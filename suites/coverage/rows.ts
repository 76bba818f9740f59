/** Rows of the specification → the requirements that state them. */
import { createRequire } from 'node:module';
import * as commands from '../commands/left-out.js';
import { chapters } from '../index.js';
import * as protocol from '../qmp-protocol/left-out.js';
import * as stateMachine from '../state-machine/left-out.js';

export interface SpecRow {
  readonly id: string;
  /** File of the specification. */
  readonly file: string;
  readonly requirements: readonly string[];
  /** Why no requirement states it; only where none does. */
  readonly reason?: string;
}

const reasons: Readonly<Record<string, string>> = {
  ...Object.fromEntries(protocol.leftOut.map(({ id, reason }) => [id, reason])),
  ...commands.leftOut,
  ...stateMachine.leftOut,
};

const elsewhere: Readonly<Record<string, string>> = { ...commands.statedElsewhere, ...stateMachine.statedElsewhere };

/** Every row, in the order of the files. A requirement states the row of its id and those that it has as tags. */
export function specRows(): SpecRow[] {
  const files = createRequire(import.meta.url)('./spec-rows.json') as Readonly<Record<string, readonly string[]>>;
  const stated = new Map<string, string[]>();
  for (const { id, tags = [] } of chapters.flatMap(({ requirements }) => requirements)) {
    for (const row of [id.split('.')[0] as string, ...tags]) stated.set(row, [...(stated.get(row) ?? []), id]);
  }
  return Object.entries(files).flatMap(([file, ids]) =>
    ids.map((id): SpecRow => {
      const other = elsewhere[id];
      const requirements = [...new Set([...(stated.get(id) ?? []), ...(other === undefined ? [] : [other])])];
      const reason = reasons[id];
      return { id, file, requirements, ...(requirements.length > 0 || reason === undefined ? {} : { reason }) };
    }),
  );
}
