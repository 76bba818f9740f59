/** What a selftest keeps, so that it can be stopped and go on. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { faults } from '../../reference/faults/index.js';
import type { Crew } from '../../selftest/crew.js';
import type { Kill } from '../../selftest/hunt.js';
import { plantable, wrongNamed } from '../../selftest/planted.js';
import { plantedAs } from '../../selftest/requirements.js';
import { buildOf, type Result, Results } from '../../selftest/results.js';
import { huntAll } from '../../selftest/table.js';

type KillResult = Result & Kill;

const kill = (fault: string, requirement?: string): Kill => ({
  fault,
  ...(requirement === undefined ? {} : { requirement }),
  duration: 1,
  judged: 2,
  where: 'in process',
  seconds: 0.1,
});

/** A crew that kills everything, as many as it is given. */
function crewOf(most: number): { crew: Crew; asked: string[] } {
  const asked: string[] = [];
  const all = async (jobs: { fault: string }[], done: (job: object, result: object) => void) => {
    for (const job of jobs.slice(0, most)) {
      asked.push(job.fault);
      done(job, { kill: kill(job.fault, 'QMP-REPLY-04') });
    }
    return Math.max(0, jobs.length - most);
  };
  return { crew: { all } as unknown as Crew, asked };
}

describe('results of a selftest', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qmpspec-results-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const add = (results: Results, name: string): void =>
    results.add<KillResult>({ kind: 'kill', subject: 'reference', name, ...kill(name, 'QMP-REPLY-04') });

  it('come back from the file, but for those of another build', () => {
    const file = join(folder, 'builds.ndjson');
    add(new Results(file, 'one'), 'id-lost');
    expect(new Results(file, 'one').find<KillResult>('kill', 'reference', 'id-lost')?.requirement).to.equal(
      'QMP-REPLY-04',
    );
    const other = new Results(file, 'two');
    expect(other.find('kill', 'reference', 'id-lost')).to.equal(undefined);
    expect(other.outdated).to.equal(1);
    expect(new Results(file, 'two', true).find('kill', 'reference', 'id-lost')).to.be.an('object');
    expect(new Results(file, 'one').find('kill', 'a QEMU', 'id-lost')).to.equal(undefined);
  });

  it('survive a run that was killed in the middle of a line', () => {
    const file = join(folder, 'torn.ndjson');
    add(new Results(file, 'one'), 'id-lost');
    appendFileSync(file, '{"kind":"kill","subject":"refer');
    add(new Results(file, 'one'), 'stop-twice');
    const again = new Results(file, 'one');
    for (const name of ['id-lost', 'stop-twice'])
      expect(again.find('kill', 'reference', name), name).to.be.an('object');
    expect(readFileSync(file, 'utf8').split('\n')).to.have.lengthOf(4);
  });

  it('are not taken from a file that is something else', () => {
    const file = join(folder, 'else.txt');
    writeFileSync(file, 'not ours\n');
    expect(() => new Results(file, 'one')).to.throw(/else\.txt:1 is not a result of a selftest/);
  });

  it('are not shown again: a table that was stopped goes on, and is then whole', async () => {
    const file = join(folder, 'table.ndjson');
    const names = [...faults.keys()].slice(0, 5);
    const first = crewOf(2);
    const lines: string[] = [];
    const round = { qemu: undefined, out: (line: string) => void lines.push(line) };
    const begun = await huntAll({ ...round, crew: first.crew, results: new Results(file, 'one') }, names);
    expect(begun.left).to.deep.equal(names.slice(2));
    expect(lines.at(-1)).to.match(/^5 faults: 2 killed, 0 survived, 3 not tried yet; /);
    const second = crewOf(9);
    const ended = await huntAll({ ...round, crew: second.crew, results: new Results(file, 'one') }, names);
    expect(second.asked).to.deep.equal(names.slice(2));
    expect(ended.left).to.deep.equal([]);
    expect(ended.kills.map(({ fault }) => fault)).to.have.members(names);
    expect(lines.at(-1)).to.match(/^5 faults: 5 killed, 0 survived; /);
  });

  it('bear the name of a build that changes with the code alone', () => {
    expect(buildOf()).to.match(/^[0-9a-f]{12}$/);
    expect(buildOf()).to.equal(buildOf());
  });

  it('know all that can be planted', () => {
    expect(plantable(false)).to.deep.equal([...faults.keys()]);
    const told = plantable(true);
    expect(told.filter((name) => name.startsWith('lie:'))).to.deep.equal(plantable(true, true));
    expect(told.filter((name) => wrongNamed(name) === undefined)).to.deep.equal([]);
    expect(told).to.have.length.of.at.least(350);
    expect(plantedAs('id-lost 7.2 process')).to.deep.equal({ fault: 'id-lost', dialect: '7.2', process: true });
  });
});
