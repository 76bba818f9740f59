import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { XMLParser } from 'fast-xml-parser';
import { validateXML } from 'xmllint-wasm';
import type { RunEvent } from '../../oracle/run-events.js';
import { JunitReport } from '../../reports/junit.js';
import { fold } from '../../reports/report.js';
import { diverged, header, hostile, outcome, passed, runs, stream } from './events.js';
import { expectGolden, root } from './golden.js';

function junit(events: Iterable<RunEvent>): string {
  let text = '';
  const report = new JunitReport((part) => {
    text += part;
  });
  fold(events, report);
  return text;
}

interface Suite {
  readonly '@tests': string;
  readonly '@failures': string;
  readonly '@errors': string;
  readonly '@skipped': string;
  readonly testcase: readonly {
    '@name': string;
    '@classname': string;
    failure?: object;
    error?: { '@message': string };
    skipped?: object;
  }[];
}

function suiteOf(xml: string): Suite {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    isArray: (name) => name === 'testcase',
  });
  return parser.parse(xml).testsuites.testsuite as Suite;
}

const schema = readFileSync(join(root, 'test', 'reports', 'junit-jenkins.xsd'), 'utf8');

async function faults(xml: string): Promise<string[]> {
  const contents = Buffer.from(xml, 'utf8');
  const result = await validateXML({
    xml: { fileName: 'report.xml', contents },
    schema: [schema],
    maxMemoryPages: 4096,
  });
  return result.errors.map(({ message }) => message);
}

describe('JUnit report', () => {
  for (const [name, events] of Object.entries(runs)) {
    it(`files the run '${name}', valid for Jenkins`, async () => {
      const xml = junit(events());
      expect(await faults(xml)).to.deep.equal([]);
      expectGolden(`junit/${name}.xml`, xml);
    });
  }

  it('has a schema that can say no', async () => {
    const xml = junit(stream([passed()]));
    expect(await faults(xml.replace('classname=', 'klass='))).to.not.deep.equal([]);
    expect(await faults(xml.replace('tests="1"', 'tests="one"'))).to.not.deep.equal([]);
  });

  it('has a test case for each requirement, with counts that agree', () => {
    for (const [name, events] of Object.entries(runs)) {
      const suite = suiteOf(junit(events()));
      const cases = suite.testcase ?? [];
      const count = (element: 'failure' | 'error' | 'skipped') => cases.filter((one) => element in one).length;
      expect(suite['@tests'], name).to.equal(String(cases.length));
      expect(suite['@failures'], name).to.equal(String(count('failure')));
      expect(suite['@errors'], name).to.equal(String(count('error')));
      expect(suite['@skipped'], name).to.equal(String(count('skipped')));
      const ids = events().flatMap((event) => (event.event === 'requirement' ? [event.id] : []));
      const ended = events().some(({ event }) => event === 'footer');
      const complete = ended && name !== 'aborted';
      const further = events().filter(({ event }) => event === 'unmatched').length;
      expect(cases.length, name).to.equal(ids.length + further + (complete ? 0 : 1));
      ids.forEach((id, i) => {
        expect(cases[i]?.['@name']).to.match(new RegExp(`^${id} `));
      });
    }
  });

  it('never looks green when the stream was cut off, even where all that came passed', () => {
    const cut = [header({ planned: 3 }), passed()];
    expect(suiteOf(junit(cut))).to.include({ '@tests': '2', '@errors': '1' });
    expect(suiteOf(junit([])).testcase[0]?.error?.['@message']).to.contain('without a footer');
  });

  it('never looks green when the plan was not met', () => {
    const events = stream([passed()], { header: { planned: 3 }, footer: { planned: 3 } });
    const { testcase } = suiteOf(junit(events));
    expect(testcase.at(-1)?.error?.['@message']).to.equal('3 requirements were planned, 1 were reported');
  });

  it('writes hostile text as text', async () => {
    const xml = junit(stream([outcome('crash', { title: hostile, verdict: { reason: hostile } })]));
    expect(await faults(xml)).to.deep.equal([]);
    const [only] = suiteOf(xml).testcase;
    expect(only?.['@name']).to.contain('</failure>]]>').and.contain('漢字 😀').and.contain('\\x1b[2J');
  });

  it('takes many failures with huge bodies', async function () {
    this.timeout(30000);
    const big = () => outcome('divergence', { excerpt: Array.from({ length: 14 }, () => '<&>'.repeat(200)) });
    const events = stream(Array.from({ length: 300 }, big));
    const xml = junit(events);
    expect(suiteOf(xml)['@failures']).to.equal('300');
  });

  it('does not tear chapter numbers into packages', () => {
    const xml = junit(stream([outcome('conforms', { chapter: ['A', '3.1 B'] }), diverged()]));
    expect(suiteOf(xml).testcase[0]?.['@classname']).to.equal('A.3_1 B');
  });
});
