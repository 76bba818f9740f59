import type { ModelState } from '../../reference/model/index.js';

/** The visible part of a model state, and the hidden phase, in a few words. */
export function describeState({ out, in: incoming, vm }: ModelState): string {
  const parts = [`outgoing ${out.status}${out.phase === 'idle' ? '' : ` (${out.phase})`}`];
  if (incoming.origin !== 'none') parts.push(`incoming ${incoming.status} (${incoming.phase})`);
  parts.push(`run state ${vm.runState}`);
  return parts.join(', ');
}
