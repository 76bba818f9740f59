/** stream-format.md §1, §3: the order of a stream, sections and footers. */

import { SectionType } from '../../reference/stream/format.js';
import { type DescribedSection, describedSections, parseVmdescription } from '../../reference/stream/vmdescription.js';
import { fitsExactly, unlessExact } from '../commands/dialect-fit.js';
import { ChapterBuilder } from '../requirement.js';
import { takes } from './accepted-row.js';
import { capture, captureNeeds } from './capture.js';
import { failNeeds, loadNeeds, ramId, ramStart, refuses } from './loading.js';

/** Words of a precopy stream, commands left out. */
const order = /^configuration (?:(?:START|PART) ram )+(?:END ram )(?:FULL \S+ )*EOF vmdescription $/;

/** Types of the fields that these devices begin with in every release; further ones have come since. */
const oldestFields: Readonly<Record<string, RegExp>> = {
  timer: /^int64 (int64|unused_buffer) int64( |$)/,
  globalstate: /^uint32 buffer( |$)/,
};

export const sections = new ChapterBuilder(['Migration stream', '3 Sections'], 'stream-format.md §3', captureNeeds)
  .must(
    'MIG-STR-SEC-01',
    'a precopy stream is configuration, START, PARTs, END, FULL sections, end mark, description',
    async (t) => {
      const [one, recording] = await capture(t);
      const words = recording.words.filter((word) => word !== 'SWITCHOVER_START').map((word) => `${word} `);
      const live = words.filter((word) => !/(block|dirty-bitmap) $/.test(word)).join('');
      t.check(order.test(live), 'the order of stream-format.md §1', live);
      t.same(words.filter((word) => word === 'START ram ').length, 1, 'START sections of ram');
      t.same(words.filter((word) => word === 'END ram ').length, 1, 'END sections of ram');
      one.carries(recording);
    },
  )
  .must('MIG-STR-SEC-02', 'all sections of a handler have one id, and no two handlers the same', async (t) => {
    const [, recording] = await capture(t);
    const ids = new Map<string, number>();
    for (const { idstr, instance, id } of recording.sections) {
      const key = `${idstr} ${instance}`;
      const known = ids.get(key);
      if (known === undefined) {
        t.check(![...ids.values()].includes(id), 'an id of its own', `id ${id} again`, key);
        ids.set(key, id);
      } else t.same(id, known, `id of ${key}`);
    }
    t.check(ids.has('ram 0'), 'a section ram', [...ids.keys()].join(', '));
  })
  .must('MIG-STR-SEC-03', 'the ram section is instance 0 in version 4', async (t) => {
    const [, recording] = await capture(t, { image: null });
    const start = recording.sections.find(({ type }) => type === SectionType.start);
    t.same(start?.idstr, 'ram', 'idstr');
    t.same(start?.instance, 0, 'instance');
    t.same(start?.version, 4, 'version');
  })
  .must('MIG-STR-SEC-04', 'every section ends with a footer that repeats its id', async (t) => {
    const [, recording] = await capture(t);
    for (const { id, end, idstr } of recording.sections) {
      const footer = Buffer.alloc(5, SectionType.footer);
      footer.writeUInt32BE(id, 1);
      t.same(recording.bytes(end - 5, end).toString('hex'), footer.toString('hex'), `footer of ${idstr}`);
    }
    t.check(recording.sections.length >= 3, 'at least three sections', `${recording.sections.length}`);
  })
  .must('MIG-STR-SEC-05', 'each section body of ram ends with its end record', async (t) => {
    const [, recording] = await capture(t);
    const bodies = recording.sections.filter(({ idstr }) => idstr === 'ram');
    t.same(recording.eos, bodies.length, 'end records');
    for (const { end } of bodies) {
      t.same(recording.bytes(end - 13, end - 5).toString('hex'), '0000000000000010', 'end record');
    }
  })
  .must('MIG-STR-VMD-01', 'behind the end mark comes a description of exactly the length that it says', async (t) => {
    const [one, recording] = await capture(t);
    const at = (recording.eofAt ?? 0) + 1;
    t.same(one.bytes()[at], SectionType.vmdescription, 'type byte');
    t.same(recording.descriptionLength, one.bytes().length - at - 5, 'length');
    t.same(recording.description?.length, recording.descriptionLength, 'text');
  })
  .must('MIG-STR-VMD-02', 'the description is JSON that lists the FULL sections with their sizes', async (t) => {
    const [, recording] = await capture(t);
    const text = recording.description ?? '';
    let listed: { name: string; instance: number; size: number }[];
    try {
      listed = describedSections(parseVmdescription(text)).map(({ name, instance, size }) => ({
        name,
        instance,
        size,
      }));
    } catch (error) {
      return t.check(false, 'a description of devices', (error as Error).message);
    }
    const full = recording.sections.filter(({ type }) => type === SectionType.full);
    const sent = full.map(({ idstr, instance, body }) => ({ name: idstr, instance, size: body.length }));
    t.same(JSON.stringify(listed), JSON.stringify(sent), 'devices');
    t.same((JSON.parse(text) as { page_size: number }).page_size, 4096, 'page_size');
  })
  .must('MIG-STR-VMD-02.types', 'a type that names bits has their size, and so is each field described', async (t) => {
    const [, recording] = await capture(t, { image: null });
    let devices: readonly DescribedSection[];
    try {
      devices = describedSections(parseVmdescription(recording.description ?? ''));
    } catch (error) {
      return t.check(false, 'a description of devices', (error as Error).message);
    }
    for (const { name, device } of devices) {
      for (const field of device.fields ?? []) {
        const [, bits] = /^u?int(\d+)/.exec(field.type) ?? [];
        if (bits !== undefined) t.same(field.size * 8, Number(bits), `bits of ${name} ${field.name}, ${field.type}`);
      }
      const types = (device.fields ?? []).map(({ type }) => type).join(' ');
      const due = oldestFields[name];
      if (due !== undefined) t.check(due.test(types), String(due), types, `types of the fields of ${name}`);
    }
  })
  .info('MIG-STR-VMD-03', 'the description is written in the style of its release', async (t) => {
    const [, recording] = await capture(t, { image: null });
    const { vmdescriptionStyle, vmdescriptionConfiguration } = t.dialect.stream;
    const begin = vmdescriptionStyle === 'spaced' ? '{ "' : '{"';
    t.check(recording.description?.startsWith(begin) === true, begin, recording.description?.slice(0, 20) ?? 'none');
    if (!fitsExactly(t.facts)) return;
    const has = /"configuration"/.test(recording.description ?? '');
    t.same(has, vmdescriptionConfiguration, 'configuration in the description');
  })
  .must(
    'MIG-STR-SEC-10',
    'a destination takes any section id, and START and FULL alike, PART and END alike',
    (t) => takes(t, 'MIG-STR-SEC-10'),
    { needs: loadNeeds },
  )
  .must('MIG-STR-SEC-11', 'a stream without any ram section is accepted', (t) => takes(t, 'MIG-STR-SEC-11'), {
    needs: loadNeeds,
  })
  .must(
    'MIG-STR-SEC-12',
    'a second START under another id takes the place of the first',
    (t) => takes(t, 'MIG-STR-SEC-12'),
    { needs: loadNeeds },
  )
  .must(
    'MIG-STR-SEC-13',
    'a PART with an id that a later START has replaced is unknown',
    (t) =>
      refuses(
        t,
        (writer, feed) => {
          feed.begin();
          ramStart(writer);
          writer.start(9, 'ram', 0, 4);
          writer.ram.eos();
          writer.footer();
          writer.part(ramId);
          writer.ram.eos();
          writer.footer();
          feed.end();
        },
        { lines: [new RegExp(`Unknown savevm section ${ramId}`)] },
      ),
    { needs: failNeeds },
  )
  .must(
    'MIG-STR-SEC-14',
    'ids are 0 before any START: a PART of 0 reaches the first handler, which is no live one',
    (t) =>
      refuses(t, (writer, feed) => {
        feed.begin();
        writer.part(0);
        writer.ram.eos();
        writer.footer();
        feed.end();
      }),
    { needs: { ...failNeeds, unless: unlessExact } },
  )
  .must(
    'MIG-STR-VMD-10',
    'a destination throws the description away, whatever it is, and what comes behind it',
    (t) => takes(t, 'MIG-STR-VMD-10'),
    { needs: loadNeeds },
  )
  .must(
    'MIG-STR-VMD-11',
    'a stream that has no description, or a cut one, is accepted once the connection is closed',
    (t) => takes(t, 'MIG-STR-VMD-11'),
    { needs: loadNeeds },
  )
  .done();
