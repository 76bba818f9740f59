/**
 * The libraries behind the JUnit report. Together they take longer to load than the rest of the program, so that they are
 * loaded when such a report is written, and not whenever a run begins.
 */
import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);

/** tap-junit's own serializer. */
export const tapJunit = (): typeof import('tap-junit/src/serialize.js').default => load('tap-junit/src/serialize.js');

export const tapParser = (): typeof import('tap-parser') => load('tap-parser');

export const xmlParser = (): typeof import('fast-xml-parser') => load('fast-xml-parser');
