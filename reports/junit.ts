/**
 * JUnit XML. tap-junit makes it of our TAP; what that cannot carry is put in afterwards: chapters as class names, times,
 * failures told from errors and skips, bodies, properties, and an error for a run that did not come to its end.
 */
import type { FinalResults, Result } from 'tap-parser';
import type { RequirementEnded, RunEvent, RunHeader, Unmatched } from '../oracle/run-events.js';
import type { Standing } from '../oracle/standing.js';
import { details, oneLine } from './details.js';
import { tapJunit, tapParser, xmlParser } from './junit-libraries.js';
import { printable } from './printable.js';
import type { Report, Write } from './report.js';
import { faultOf, Tally } from './tally.js';
import { TapReport } from './tap.js';

export class JunitReport implements Report {
  private readonly tally = new Tally();
  private tap = '';
  // Without diagnostics: tap-junit would flatten them, and YAML of thousands of failures takes seconds to parse.
  private readonly asTap = new TapReport((text) => {
    this.tap += text;
  }, false);

  constructor(private readonly write: Write) {}

  take(event: RunEvent): void {
    this.tally.take(event);
    this.asTap.take(event);
  }

  end(fault?: string): void {
    this.asTap.end(fault);
    const cases = casesOf(this.tap);
    const { outcomes } = this.tally;
    if (cases.length !== outcomes.length) {
      throw new Error(`tap-junit made ${cases.length} test cases of ${outcomes.length} requirements`);
    }
    const testcases = cases.map((one, i) => enrich(one, outcomes[i] as RequirementEnded, this.tally));
    const why = faultOf(this.tally, fault) ?? this.unmet();
    testcases.push(...this.tally.unmatched.map(unmatched));
    if (why !== undefined) testcases.push(aborted(why));
    this.write(build(this.tally, testcases));
  }

  /** A plan of 3 with 1 result must not look like 1 of 1. */
  private unmet(): string | undefined {
    const planned = this.tally.header?.planned;
    const reported = this.tally.outcomes.length;
    return planned === reported ? undefined : `${planned} requirements were planned, ${reported} were reported`;
  }
}

interface Problem {
  readonly '@message': string;
  readonly '@type': string;
  readonly '#text'?: string;
}

interface Testcase {
  readonly '@name': string;
  readonly '@classname'?: string;
  readonly '@time'?: string;
  readonly failure?: Problem;
  readonly error?: Problem;
  readonly skipped?: Problem;
}

/** The test cases that tap-junit makes of a TAP text. */
function casesOf(tap: string): Testcase[] {
  const parser = new (tapParser().Parser)();
  const found: Result[] = [];
  let results: FinalResults | undefined;
  parser.on('assert', (result: Result) => found.push(result));
  parser.on('complete', (final: FinalResults) => {
    results = final;
  });
  parser.end(tap);
  if (results === undefined) throw new Error('the TAP of this run could not be read');
  const xml = tapJunit()(found, results, { name: 'qmpspec', classname: 'qmpspec' });
  const { XMLParser } = xmlParser();
  const reader = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    parseAttributeValue: false,
    parseTagValue: false,
    trimValues: false,
    isArray: (name) => name === 'testcase',
  });
  const { testsuites } = reader.parse(xml) as { testsuites: { testsuite?: { testcase?: Testcase[] } | string } };
  const suite = testsuites.testsuite;
  return typeof suite === 'object' ? (suite.testcase ?? []) : [];
}

/** How JUnit files each standing; what is not here passed. */
const elements: Partial<Record<Standing, 'failure' | 'error' | 'skipped'>> = {
  failed: 'failure',
  warning: 'skipped',
  note: 'skipped',
  known: 'skipped',
  expected: 'skipped',
  outdated: 'failure',
  'not-applicable': 'skipped',
  inconclusive: 'error',
  vacuous: 'error',
};

function enrich(testcase: Testcase, outcome: RequirementEnded, tally: Tally): Testcase {
  const standing = tally.standing(outcome);
  const element = elements[standing];
  return {
    '@classname': className(outcome.chapter),
    '@name': testcase['@name'],
    '@time': time(outcome.duration),
    ...(element === undefined ? {} : { [element]: problem(outcome, standing) }),
  };
}

function problem(outcome: RequirementEnded, standing: Standing): Problem {
  const { kind, reason = '' } = outcome.verdict;
  if (standing === 'not-applicable') return { '@message': printable(reason), '@type': kind };
  const prefix = standing === 'warning' || standing === 'note' ? `${outcome.level}, does not count: ` : '';
  const body = details(outcome).flatMap(({ label, lines }) =>
    lines.map((line, i) => `${(i === 0 ? label : '').padEnd(10)}${line}`),
  );
  return { '@message': prefix + oneLine(outcome), '@type': kind, '#text': `\n${body.join('\n')}\n` };
}

/** Readers take a dot for the border between packages: the chapters of one part are grouped, numbers are not torn. */
const className = (chapter: readonly string[]): string =>
  chapter.map((title) => printable(title).replaceAll('.', '_')).join('.');

const time = (milliseconds: number): string => (milliseconds / 1000).toFixed(3);

const unmatched = ({ entry, text }: Unmatched): Testcase => ({
  '@classname': 'qmpspec',
  '@name': `entry ${entry} of the expectations file speaks of a requirement`,
  '@time': '0.000',
  failure: { '@message': printable(text), '@type': 'unmatched' },
});

const aborted = (why: string): Testcase => ({
  '@classname': 'qmpspec',
  '@name': 'the run comes to its end',
  '@time': '0.000',
  error: { '@message': printable(why), '@type': 'aborted' },
});

function build({ header, footer, outcomes }: Tally, testcases: readonly Testcase[]): string {
  const count = (element: 'failure' | 'error' | 'skipped') =>
    testcases.filter((one) => one[element] !== undefined).length;
  const sum = outcomes.reduce((total, { duration }) => total + duration, 0);
  const counts = {
    '@tests': testcases.length,
    '@failures': count('failure'),
    '@errors': count('error'),
    '@time': time(footer?.duration ?? sum),
  };
  const suite = {
    '@name': printable(header === undefined ? 'qmpspec' : `qmpspec ${header.target}`),
    ...counts,
    '@skipped': count('skipped'),
    // Readers expect local ISO 8601 without fraction and zone.
    ...(header === undefined ? {} : { '@timestamp': header.began.slice(0, 19) }),
    ...(header === undefined ? {} : { properties: { property: properties(header) } }),
    testcase: testcases,
  };
  const { XMLBuilder } = xmlParser();
  const builder = new XMLBuilder({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    format: true,
    suppressEmptyNode: true,
    suppressBooleanAttributes: false,
  });
  const document = {
    '?xml': { '@version': '1.0', '@encoding': 'UTF-8' },
    testsuites: { '@name': 'qmpspec', ...counts, testsuite: suite },
  };
  return builder.build(document);
}

function properties(header: RunHeader): { '@name': string; '@value': string }[] {
  const { tool, target, description, product, productVersion, dialect, seed, reproduce, notes } = header;
  const pairs = { tool, target, description, product, version: productVersion, dialect, seed: String(seed), reproduce };
  const all = [...Object.entries(pairs), ...notes.map((note) => ['note', note] as const)];
  return all.map(([name, value]) => ({ '@name': name, '@value': printable(value) }));
}
