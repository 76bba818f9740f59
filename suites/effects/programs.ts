/** commands.md §13: migrations to a program. */
import { ChapterBuilder } from '../requirement.js';
import { migrateTo, startsPrograms, tellsOfProgram } from '../state-machine/exec.js';
import { peerNeeds, someRam, source } from '../state-machine/source.js';

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
  .done();
