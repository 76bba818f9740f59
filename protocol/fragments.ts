/** How bytes are cut into writes (QMP-TRANS-11). */

export type FragmentPlan =
  /** Cut after every `every` bytes. */
  | { readonly every: number }
  /** Cut before each of these offsets. */
  | { readonly at: readonly number[] };

/** Non-empty pieces that concatenate to `bytes`. */
export function fragments(bytes: Buffer, plan: FragmentPlan | undefined): Buffer[] {
  if (plan === undefined) return bytes.length > 0 ? [bytes] : [];
  const cuts: number[] = [];
  if ('every' in plan)
    for (let at = Math.max(1, plan.every); at < bytes.length; at += Math.max(1, plan.every)) cuts.push(at);
  else cuts.push(...plan.at.filter((at) => at > 0 && at < bytes.length).sort((a, b) => a - b));
  const pieces: Buffer[] = [];
  let from = 0;
  for (const at of [...cuts, bytes.length]) {
    if (at > from) pieces.push(bytes.subarray(from, at));
    from = at;
  }
  return pieces;
}
