/** What a failure is known by: the same for the same fault on every run, machine and day. */
import { isFailure, type Verdict } from './verdict.js';

/** Longest signature, in characters. */
const longest = 240;

// What differs from run to run: ids of our sessions, scratch folders, ports and times.
const volatile: readonly (readonly [RegExp, string])[] = [
  [/\bqs\d+\.\d+\b/g, 'qs#'],
  [/\/[^\s"',)]*\/qmpspec-[^\s"',)/]*[^\s"',)]*/g, '/…'],
  [/\d+(\.\d+)?/g, '#'],
];

/**
 * One line that names the kind of verdict, where it was seen and what came; every number in it is a `#`.
 * `undefined` for a verdict that does not speak against the target.
 */
export function signatureOf(verdict: Verdict): string | undefined {
  if (verdict.kind === 'known-defect') return `known-defect ${verdict.defect ?? ''}`.trim();
  if (!isFailure(verdict)) return undefined;
  const { divergence, reason } = verdict;
  const parts = [
    divergence?.step,
    divergence === undefined ? undefined : `got ${divergence.got}`,
    verdict.kind === 'divergence' ? undefined : reason?.split('\n', 1)[0],
  ];
  let text = parts.filter((part) => part !== undefined && part !== '').join(': ');
  for (const [pattern, replacement] of volatile) text = text.replace(pattern, replacement);
  const line = `${verdict.kind}: ${text}`.replace(/\s+/g, ' ').trim();
  return line.length <= longest ? line : line.slice(0, longest);
}

/** Whether a signature is as `wanted` has it; `*` stands for any text. */
export function signatureFits(wanted: string, signature: string): boolean {
  const parts = wanted.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\/]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(signature);
}
