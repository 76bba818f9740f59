import type { ErrorClass, RunState } from '../migration/host.js';
import type { MigrationStatus, ModelState } from './state.js';

/** What a successful reply must hold. Absent means `{}`. */
export interface ReplyValue {
  /** The whole value, where the state decides it. */
  readonly exact?: unknown;
  /** Members with a known value; `*` stands for any text. */
  readonly equals?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
  readonly optional?: readonly string[];
}

export type Output =
  | { readonly kind: 'event'; readonly event: 'MIGRATION'; readonly status: MigrationStatus; readonly always?: true }
  | { readonly kind: 'event'; readonly event: 'MIGRATION_PASS' | 'RESUME' }
  /** `runState` is what the guest's stop leads to; no part of the event. */
  | { readonly kind: 'event'; readonly event: 'STOP'; readonly runState: RunState }
  | { readonly kind: 'event'; readonly event: 'RESET' | 'COLO_EXIT'; readonly data: Readonly<Record<string, unknown>> }
  | { readonly kind: 'reply'; readonly ok: true; readonly value?: ReplyValue }
  | { readonly kind: 'reply'; readonly ok: false; readonly desc: string; readonly errorClass: ErrorClass };

/**
 * What reaches a client of the outputs that a row lists: MIGRATION and MIGRATION_PASS need capability `events` at that
 * moment (MIG-CMD-EVT-01, -04), save the unconditional `setup` of the incoming side (MIG-SM-E05). STOP and RESUME do not
 * depend on it (MIG-SM-E03). This is the only place where `events` is looked at.
 */
export function visible(outputs: readonly Output[], state: ModelState): Output[] {
  if (state.capabilities.includes('events')) return [...outputs];
  return outputs.filter((output) => {
    if (output.kind === 'reply') return true;
    if (output.event === 'MIGRATION') return output.always === true;
    return output.event !== 'MIGRATION_PASS';
  });
}

/** A row's output in the notation of state-machine.md: `M(active)`, `P`, `S`, `R`, `↵`. */
export function notation(output: Output): string {
  if (output.kind === 'reply') return output.ok ? '↵' : `↵error(${output.desc})`;
  switch (output.event) {
    case 'MIGRATION':
      return `M(${output.status})`;
    case 'MIGRATION_PASS':
      return 'P';
    case 'STOP':
      return 'S';
    case 'RESUME':
      return 'R';
    default:
      return output.event;
  }
}
