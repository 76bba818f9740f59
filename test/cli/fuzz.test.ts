import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { exitCodes } from '../../oracle/exit-codes.js';
import { qmpspec, Running, withFolder } from './process.js';

/** A monitor with a fault that shows itself in most scenarios of valid values, which wait for nothing. */
const config = JSON.stringify({
  targets: { faulty: { target: 'reference', args: ['--fault', 'parameter-range-open'] } },
});
const faulty = ['fuzz', '--target', 'faulty', '--only', 'values', '--seed', '5'];

const findings = (folder: string): string[] =>
  existsSync(join(folder, 'findings'))
    ? readdirSync(join(folder, 'findings')).filter((name) => !name.startsWith('.'))
    : [];

describe('qmpspec fuzz', function () {
  this.timeout(240_000);

  it('finds a fault, shrinks it, writes it down; replay says FAILED there and FIXED elsewhere', () =>
    withFolder(async (folder) => {
      writeFileSync(join(folder, 'qmpspec.config.json'), config);
      const out = join(folder, 'campaign');
      const run = new Running(
        [...faulty, '--time', '2m', '--jobs', '1', '--shrink', '5s', '--until-first', '--out', out],
        { cwd: folder },
      );
      const { code, stdout, stderr } = await run.end;
      expect(code, stdout + stderr).to.equal(exitCodes.divergences);
      expect(stdout)
        .to.match(/× divergence: success of migrate-set-parameters/)
        .and.to.contain('shrunk from');
      const [id] = findings(out) as [string];
      expect(readdirSync(join(out, 'findings', id)).sort()).to.deep.equal([
        'case.json',
        'report.md',
        'repro.sh',
        'transcript.jsonl',
      ]);
      const place = join(out, 'findings', id, 'case.json');
      const again = await new Running(['replay', place, '--times', '2'], { cwd: folder }).end;
      expect([again.code, again.stdout.slice(0, 6)], again.stdout + again.stderr).to.deep.equal([
        exitCodes.divergences,
        'FAILED',
      ]);
      const honest = await new Running(['replay', place, '--target', 'reference'], { cwd: folder }).end;
      expect([honest.code, honest.stdout.slice(0, 5)]).to.deep.equal([exitCodes.conforms, 'FIXED']);
      // Known now: the same campaign is no failure any more.
      writeFileSync(join(folder, 'known'), `${findings(out).join('\n')}\n`);
      const known = await new Running([...faulty, '--runs', '1', '--known', join(folder, 'known'), '--out', out], {
        cwd: folder,
      }).end;
      expect(known.stdout)
        .to.contain('goes on in')
        .and.to.match(/no new findings, [1-9]\d* known/);
      expect(known.code, known.stdout + known.stderr).to.equal(exitCodes.conforms);
      // The same by an expectations file, in which another entry is met by nothing.
      const finding = (signature: string) => ({ kind: 'finding', signature, reason: 'seen before' });
      writeFileSync(
        join(folder, 'known.json'),
        JSON.stringify({ version: 1, expectations: [finding('divergence: *'), finding('hang: *')] }),
      );
      const args = [...faulty, '--runs', '1', '--expect', join(folder, 'known.json'), '--out', out];
      const told = await new Running(args, { cwd: folder }).end;
      expect(told.stdout)
        .to.match(/entry 2 \(seen before\) was not met/)
        .and.not.to.match(/entry 1 /);
      expect(told.code, told.stdout + told.stderr).to.equal(exitCodes.expectations);
    }));

  it('loses no finding when it is killed, and goes on from its folder', () =>
    withFolder(async (folder) => {
      writeFileSync(join(folder, 'qmpspec.config.json'), config);
      const out = join(folder, 'campaign');
      const run = new Running([...faulty, '--time', '10m', '--jobs', '2', '--out', out], { cwd: folder });
      const pending = join(out, 'pending');
      const held = () => (existsSync(pending) ? readdirSync(pending).filter((name) => !name.startsWith('.')) : []);
      while (held().length + findings(out).length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      run.kill('SIGKILL');
      expect((await run.end).signal).to.equal('SIGKILL');
      expect(findings(out).length + held().length).to.be.greaterThan(0);
      const { code, stdout, stderr } = await new Running(
        ['fuzz', '--resume', out, '--runs', '1', '--shrink', '1s', '--jobs', '1'],
        { cwd: folder },
      ).end;
      expect(code, stdout + stderr).to.equal(exitCodes.divergences);
      expect(stdout).to.contain('goes on in');
      expect(findings(out)).not.to.have.length(0);
      expect(readdirSync(pending)).to.deep.equal([]);
    }));

  it('ends with a summary at Ctrl-C', () =>
    withFolder(async (folder) => {
      const out = join(folder, 'campaign');
      const run = new Running(
        ['fuzz', '--target', 'reference', '--time', '10m', '--seed', '5', '--jobs', '2', '--out', out],
        { cwd: folder },
      );
      await run.until(({ stdout }) => stdout.includes('keeps all in'));
      run.kill('SIGINT');
      const { code, stdout, stderr } = await run.end;
      expect(code, stdout + stderr).to.equal(exitCodes.interrupted);
      expect(stdout).to.match(/interrupted: \d+ cases, \d+ commands in/);
      expect(readFileSync(join(out, 'log.ndjson'), 'utf8').trimEnd().split('\n').at(-1)).to.contain('"end"');
    }));

  it('writes the same scenarios for the same seed, byte for byte', () =>
    withFolder(async (folder) => {
      const emit = (name: string, seed: string) =>
        qmpspec('fuzz', '--target', 'reference', '--runs', '20', '--seed', seed, '--emit', join(folder, name));
      expect((await emit('a', '7')).code).to.equal(0);
      expect((await emit('b', '7')).code).to.equal(0);
      const read = (name: string) =>
        readdirSync(join(folder, name)).map((file) => readFileSync(join(folder, name, file), 'utf8'));
      expect(read('a')).to.have.length(20);
      expect(read('a')).to.deep.equal(read('b'));
    }));

  it('says in one line what cannot be', () =>
    withFolder(async (folder) => {
      const cases: readonly [number, RegExp, ...string[]][] = [
        [2, /no source of cases 'wlak'; did you mean 'walk'\?/, 'fuzz', '--only', 'values, wlak', '--runs', '1'],
        [2, /holds no campaign to go on with/, 'fuzz', '--resume', join(folder, 'none')],
        [2, /time span such as/, 'fuzz', '--time', 'soon'],
        [2, /no\.json: there is no such file/, 'replay', join(folder, 'no.json')],
        [2, /neither a case nor a scenario/, 'replay', join(folder, 'odd.json')],
      ];
      writeFileSync(join(folder, 'odd.json'), '{}');
      for (const [code, text, ...args] of cases) {
        const ended = await new Running(args, { cwd: folder }).end;
        expect(ended.stderr, args.join(' ')).to.match(text);
        expect(ended.stderr).not.to.match(/^\s+at /m);
        expect(ended.code, ended.stderr).to.equal(code);
      }
    }));
});
