/** commands.md §13: migrations to a program. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeadlinePassed } from '../../protocol/errors.js';
import { ChapterBuilder } from '../requirement.js';
import { migrateTo, startsPrograms, tellsOfProgram } from '../state-machine/exec.js';
import { peerNeeds, someRam, source } from '../state-machine/source.js';
import { Captured, captureNeeds } from '../stream-format/capture.js';
import { isWhole } from '../stream-format/other-way.js';

export const programEffects = new ChapterBuilder(['Effects', 'Programs'], 'commands.md, exec:', peerNeeds)
  .must('MIG-CMD-EXEC-01', 'how the program ends is not looked at', async (t) => {
    const one = await source(t, 'answer');
    const reply = await migrateTo(one.session, 'exec:cat >/dev/null; exit 3');
    if (!startsPrograms(t, reply)) return;
    await one.until('completed');
    await one.statusIs('completed');
    await one.runs('postmigrate');
  })
  .must(
    'MIG-CMD-EXEC-02',
    'a program that does not read to the end fails the migration, and the guest runs on',
    async (t) => {
      const one = await source(t, 'answer', { ram: someRam });
      const reply = await migrateTo(one.session, 'exec:exit 0');
      if (!startsPrograms(t, reply)) return;
      await one.until('failed');
      await tellsOfProgram(t, one, 'P* active? P* failed');
      await one.statusIs('failed');
      await one.runStateIs('running');
    },
  )
  .must(
    'MIG-CMD-EXEC-01.whole',
    'a program is given the whole stream, from the first byte to the last',
    async (t) => {
      const one = await Captured.open(t);
      const file = join(one.instance.scratch, 'stream');
      // What has its name has come to its end.
      const reply = await migrateTo(one.session, `exec:cat >'${file}.part' && mv '${file}.part' '${file}'`);
      if (!startsPrograms(t, reply)) return;
      await one.until('completed');
      await one.runs('postmigrate');
      const until = one.session.patience();
      while (!existsSync(file)) {
        if (until.passed) throw new DeadlinePassed('the program to have read everything', until.length);
        // Nothing tells of it: the program is no child of ours.
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await isWhole(t, one, await readFile(file));
    },
    { needs: captureNeeds },
  )
  .done();
