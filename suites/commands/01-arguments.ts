/** commands.md §1 and qmp-protocol.md §8: argument checks of every migration command. A refusal changes nothing. */
import type { Trial } from '../../oracle/trial.js';
import type { Session } from '../../protocol/session.js';
import { ChapterBuilder } from '../requirement.js';
import { eventful, unchanged } from './observe.js';
import { objectText, rawCommands } from './raw-arguments.js';
import { memberKind, missingText, unexpectedText, wrongTexts, wrongTypeText } from './wrong-values.js';

/** Every migration command of the baseline, with a good value for each member that may be required. */
export const commandsWithValues: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'query-migrate': {},
  'query-migrate-capabilities': {},
  'migrate-set-capabilities': { capabilities: '[]' },
  'query-migrate-parameters': {},
  'migrate-set-parameters': {},
  client_migrate_info: { protocol: '"vnc"', hostname: '"localhost"' },
  'migrate-start-postcopy': {},
  'x-colo-lost-heartbeat': {},
  migrate_cancel: {},
  'migrate-continue': { state: '"active"' },
  migrate_set_downtime: { value: '1' },
  migrate_set_speed: { value: '1' },
  'migrate-set-cache-size': { value: '4096' },
  'query-migrate-cache-size': {},
  migrate: { uri: '"qmpspec-none:"' },
  'migrate-incoming': { uri: '"qmpspec-none:"' },
  'xen-save-devices-state': { filename: '"qmpspec-none"' },
  'xen-set-replication': { enable: 'false', primary: 'true' },
  'query-xen-replication-status': {},
  'xen-colo-do-checkpoint': {},
  'migrate-recover': { uri: '"qmpspec-none:"' },
  'migrate-pause': {},
};

const chapter = new ChapterBuilder(['Migration commands', '1 Argument checks'], 'commands.md §1');
for (const [command, values] of Object.entries(commandsWithValues)) {
  const needs = { commands: [command] };
  chapter.must(
    `MIG-CMD-GEN-03.${command}`,
    `${command} refuses missing, unexpected and wrongly typed members, and then nothing has happened`,
    async (t) => {
      const session = await eventful(t);
      await unchanged(t, session, `refused calls of ${command}`, () => refuseAll(t, session, command, values));
    },
    { needs },
  );
}

async function refuseAll(t: Trial, session: Session, command: string, values: Readonly<Record<string, string>>) {
  const { schema } = t.facts;
  const members = schema.membersOf(schema.commands.get(command)?.arguments);
  const required = members.filter((member) => !member.optional);
  const good = (except?: string) =>
    required.filter(({ name }) => name !== except).map(({ name }) => [name, values[name] ?? 'null'] as const);
  const cases: { readonly text: string; readonly desc: string | undefined }[] = [];
  const refused = (given: readonly (readonly [string, string])[], desc?: string) =>
    cases.push({ text: objectText(given), desc });
  for (const { name } of required) refused(good(name), missingText(name));
  for (const member of members) {
    const kind = memberKind(schema, t.dialect, command, member);
    const desc = kind === 'either' ? undefined : wrongTypeText(kind, member.name);
    for (const text of wrongTexts(kind)) {
      refused([...good(member.name), [member.name, text]], desc);
    }
  }
  for (const text of ['null', '1', '{}']) {
    refused([...good(), ['qmpspec', text]], unexpectedText('qmpspec'));
  }
  // The name is compared as it stands.
  for (const { name } of members.slice(0, 2)) {
    refused([...good(), [name.toUpperCase(), 'null']], unexpectedText(name.toUpperCase()));
  }
  const texts = cases.map(({ text }) => text);
  for (const [i, reply] of (await rawCommands(session, command, texts)).entries()) {
    t.failed(reply, 'GenericError', cases[i]?.desc, `${command} ${texts[i]}`);
  }
}

export const argumentChecks = chapter.done();
