/** What there is to say about an outcome, as labelled lines: the common ground of all renderers. */
import type { RequirementEnded, RunHeader } from '../oracle/run-events.js';
import { expectationWords } from './expectation-words.js';
import { printable, shorten } from './printable.js';

export interface Detail {
  readonly label:
    | 'spec'
    | 'verdict'
    | 'at'
    | 'expected'
    | 'or'
    | 'got'
    | 'wire'
    | 'stderr'
    | 'file'
    | 'known by'
    | 'again';
  readonly lines: readonly string[];
}

/** Longest single line of a report: a monitor may answer with megabytes. */
const longestLine = 600;

const line = (text: string): string => shorten(printable(text), longestLine);

/** Labelled lines, every permitted outcome on its own. All texts are printable. */
export function details(outcome: RequirementEnded): Detail[] {
  const { verdict, spec, excerpt, stderr, reproduce, signature, expectation } = outcome;
  const { divergence } = verdict;
  const list: Detail[] = [];
  const add = (label: Detail['label'], ...lines: readonly (string | undefined)[]) => {
    const present = lines.filter((one) => one !== undefined && one !== '').map((one) => line(one as string));
    if (present.length > 0) list.push({ label, lines: present });
  };
  add('spec', spec);
  if (expectation !== undefined) add('file', expectationWords(expectation, outcome));
  if (verdict.kind !== 'divergence') add('verdict', verdictWords(outcome));
  add('at', divergence?.step);
  divergence?.expected.forEach((one, i) => {
    add(i === 0 ? 'expected' : 'or', one);
  });
  add('got', divergence?.got);
  add('wire', ...(excerpt ?? []));
  add('stderr', ...(stderr ?? []));
  add('known by', signature);
  add('again', reproduce);
  return list;
}

/** The verdict in one line, for example `crash: the target died: killed by SIGSEGV`. */
export function verdictWords({ verdict }: Pick<RequirementEnded, 'verdict'>): string {
  const { kind, reason, defect } = verdict;
  const first = reason?.split('\n', 1)[0];
  const name = [kind.replaceAll('-', ' '), defect].filter((word) => word !== undefined).join(' ');
  return printable(first === undefined ? name : `${name}: ${first}`);
}

/** One line that says what went wrong, for places that have room for no more. */
export function oneLine(outcome: RequirementEnded): string {
  const { expectation } = outcome;
  if (expectation !== undefined && expectation.state !== 'different') {
    return line(`${verdictWords(outcome)}; ${expectationWords(expectation, outcome)}`);
  }
  const { divergence } = outcome.verdict;
  if (divergence === undefined) return line(verdictWords(outcome));
  const what = `expected ${divergence.expected.join(' or ')}, got ${divergence.got}`;
  return line(outcome.verdict.kind === 'divergence' ? what : `${verdictWords(outcome)} (${what})`);
}

/** `QEMU 7.2.22`. */
export function productName(header: Pick<RunHeader, 'product' | 'productVersion'>): string {
  const product = header.product === 'qemu' ? 'QEMU' : header.product;
  return printable([product, header.productVersion].filter((word) => word !== '').join(' '));
}
