import { expect } from 'chai';
import { impossibleIn, type Known } from '../../oracle/conversation.js';
import { fromIntrospection, toIntrospection } from '../../qapi/introspection.js';
import { parseQapi } from '../../qapi/parse.js';
import { loadSchema } from '../../reference/schema/index.js';
import { conversation, greetingText } from '../protocol/fake-monitor.js';
import { listen, reply, stop } from '../protocol/listening.js';

const known = { schema: loadSchema('3.0'), singlestep: false };

/** What cannot be in a conversation in which a monitor answers the first command behind the negotiation like this. */
async function said(
  answer: (id: unknown) => string,
  query = 'query-name',
  of: Known = known,
  origin?: number,
): Promise<string | undefined> {
  const monitor = await listen(conversation(({ execute, id }) => (execute === query ? answer(id) : reply(id))));
  const session = await monitor.session();
  await session.negotiate();
  await session.command(query);
  // A query that returns nothing would not be as its schema says.
  await session.command('stop');
  return impossibleIn(session, of, [], origin)?.expected;
}

const timed = (timestamp: unknown): string => JSON.stringify({ event: 'STOP', timestamp });

describe('what no conversation can have', () => {
  it('is nothing where each message is in its place', async () => {
    expect(await said((id) => `${stop}\r\n${reply(id)}`)).to.equal(undefined);
    expect(await said((id) => `${timed({ seconds: -1, microseconds: -1 })}\r\n${reply(id)}`)).to.equal(undefined);
  });

  it('is an object with a member twice', async () => {
    expect(await said((id) => `{"return": {}, "return": {"name": "x:\\": 1"}, "id": ${JSON.stringify(id)}}`)).to.equal(
      'a message in which no object has a member twice',
    );
  });

  it('is a second reply to one command', async () => {
    expect(await said((id) => `${reply(id)}\r\n${reply(id)}`)).to.match(/^one reply to the command with id qs\d+\.2$/);
  });

  it('is a reply without the id that its command had', async () => {
    expect(await said(() => '{"return": {}}')).to.equal('a reply with the id of its command');
  });

  it('is no reply without an id where another client may have left it behind', async () => {
    const monitor = await listen(
      conversation(({ execute, id }) => (execute === 'query-name' ? '{"return": {}}' : reply(id))),
    );
    const first = await monitor.session();
    const next = await monitor.session();
    await next.negotiate();
    await next.command('query-name');
    expect(impossibleIn(next, known, [first, next])?.expected).to.equal('a reply with the id of its command');
    await first.sendBytes('{"execute":"query-name"}');
    // It is the second reply of this one, and those that are left behind come first.
    expect(impossibleIn(next, known, [first, next])?.expected).to.equal('a reply with the id of its command');
    const late = await listen(
      conversation(({ execute, id }) =>
        execute === 'qmp_capabilities' ? `{"return": {}}\r\n${reply(id)}` : reply(id),
      ),
    );
    const before = await late.session();
    const after = await late.session();
    await after.negotiate();
    await after.command('stop');
    expect(impossibleIn(after, known, [before, after])?.expected).to.equal('a reply with the id of its command');
    await before.sendBytes('{"execute":"query-name"}');
    expect(impossibleIn(after, known, [before, after])).to.equal(undefined);
  });

  it('is an event with a member of its own', async () => {
    const event = JSON.stringify({ ...JSON.parse(stop), id: 1 });
    expect(await said((id) => `${event}\r\n${reply(id)}`)).to.match(/^an event with the members event, timestamp/);
  });

  it('is a timestamp that is none', async () => {
    for (const stamp of [1, { seconds: 1 }, { seconds: 1, microseconds: 1_000_000 }, { seconds: 1.5, microseconds: 0 }])
      expect(await said((id) => `${timed(stamp)}\r\n${reply(id)}`)).to.match(/seconds and microseconds/);
  });

  it('is an event whose data are not those of its schema', async () => {
    const pass = JSON.stringify({ ...JSON.parse(stop), event: 'MIGRATION_PASS', data: { pass: 'one' } });
    expect(await said((id) => `${pass}\r\n${reply(id)}`)).to.match(/^event MIGRATION_PASS with data as in its schema/);
    const unknown = JSON.stringify({ ...JSON.parse(stop), event: 'OF_ANOTHER_MAKE', data: { pass: 'one' } });
    expect(await said((id) => `${unknown}\r\n${reply(id)}`)).to.equal(undefined);
  });

  it('is an event that is not in the schema of the monitor', async () => {
    const schema = fromIntrospection(toIntrospection(parseQapi("{ 'event': 'STOP' }")));
    const told = (event: string) =>
      said((id) => `${event}\r\n${reply(id)}`, 'query-name', { schema, singlestep: false });
    expect(await told(stop)).to.equal(undefined);
    expect(await told(stop.replace('STOP', 'RESUME'))).to.equal('an event that its schema has, as RESUME is not');
  });

  it('is a result that is not as its schema says', async () => {
    expect(await said((id) => JSON.stringify({ return: { name: 7 }, id }))).to.match(
      /^what query-name returns, .* name/,
    );
    expect(await said((id) => JSON.stringify({ return: { name: 'x' }, id }))).to.equal(undefined);
  });

  it('is a guest that steps singly where another one of the run does not', async () => {
    const shown = (singlestep: boolean) => (id: unknown) =>
      JSON.stringify({ return: { running: false, status: 'paused', singlestep }, id });
    expect(await said(shown(false), 'query-status')).to.equal(undefined);
    expect(await said(shown(true), 'query-status')).to.match(/^singlestep false, as everywhere/);
  });

  it('is a reply with more than what came of its command and its id', async () => {
    const expected = 'a reply with return or error, its id, and nothing else';
    expect(await said((id) => JSON.stringify({ return: { name: 'x' }, id, timestamp: 0 }))).to.equal(expected);
    const error = { class: 'GenericError', desc: 'x' };
    expect(await said((id) => JSON.stringify({ return: { name: 'x' }, error, id }))).to.equal(expected);
  });

  it('is a version that is not the one that was greeted with at first', async () => {
    const greeted = (package_: string): Known => ({
      ...known,
      greeting: { QMP: { version: { qemu: { major: 3, minor: 0, micro: 50 }, package: package_ }, capabilities: [] } },
    });
    const named = (of: Known) => said((id) => JSON.stringify({ return: {}, id }), 'query-name', of);
    expect(await named(greeted(''))).to.equal(undefined);
    expect(await named(greeted('other'))).to.match(/^version .* as everywhere in this run/);
    const shown = (major: number) => (id: unknown) =>
      JSON.stringify({ return: { qemu: { major, minor: 0, micro: 50 }, package: '' }, id });
    expect(await said(shown(3), 'query-version', greeted(''))).to.equal(undefined);
    expect(await said(shown(9), 'query-version', greeted(''))).to.match(/^version .* as everywhere/);
  });

  it('is a list of capabilities, or of parameters, that is another one than at first', async () => {
    const list = ['xbzrle', 'events'].map((capability) => ({ capability, state: false }));
    const of: Known = {
      ...known,
      settings: { parameters: { 'downtime-limit': 300, 'tls-creds': '' }, capabilities: list },
    };
    const listed = (shown: readonly unknown[]) =>
      said((id) => JSON.stringify({ return: shown, id }), 'query-migrate-capabilities', of);
    expect(await listed(list.map((one) => ({ ...one, state: true })))).to.equal(undefined);
    expect(await listed([...list].reverse())).to.match(/^each of xbzrle, events once, in this order/);
    expect(await listed(list.slice(1))).to.match(/^each of xbzrle, events once/);
    const shown = (parameters: unknown) =>
      said((id) => JSON.stringify({ return: parameters, id }), 'query-migrate-parameters', of);
    expect(await shown({ 'downtime-limit': 1 })).to.equal(undefined);
    expect(await shown({ 'tls-creds': 'x' })).to.equal('downtime-limit, as everywhere in this run (MIG-CMD-QPAR-01)');
  });

  it('is an integer that is written as a fraction', async () => {
    const shown = (ram: string) =>
      said((id) => `{"return": {"status": "active", "ram": {${ram}}}, "id": ${JSON.stringify(id)}}`, 'query-migrate', {
        ...known,
        schema: parseQapi(
          "{ 'struct': 'Ram', 'data': { 'total': 'int', 'mbps': 'number' } }" +
            "{ 'struct': 'Info', 'data': { '*status': 'str', '*ram': 'Ram' } }" +
            "{ 'command': 'query-migrate', 'returns': 'Info' }",
        ),
      });
    expect(await shown('"total": 4096, "mbps": 1.5')).to.equal(undefined);
    for (const total of ['4096.0', '4.096e3', '4096E0'])
      expect(await shown(`"total": ${total}, "mbps": 0`)).to.equal(
        `an integer in digits alone, unlike "total": ${total} (QMP-OUT-04)`,
      );
    const late = timed({ seconds: -1, microseconds: -1 }).replace(':-1}', ':-1.0}');
    expect(await said((id) => `${late}\r\n${reply(id)}`)).to.match(/^an integer in digits/);
  });

  it('is a greeting that offers what there is not', async () => {
    const greeting = JSON.parse(greetingText);
    const told = async (text: string) => {
      const monitor = await listen((socket) => void socket.write(text));
      const session = await monitor.session();
      await session.greeting();
      return impossibleIn(session, { ...known, greeting })?.expected;
    };
    expect(await told(greetingText)).to.equal(undefined);
    expect(await told(greetingText.replace('[]', '["oob"]'))).to.equal(undefined);
    expect(await told(greetingText.replace('[]', '["oobx"]'))).to.equal('a greeting that offers oob, or nothing');
    expect(await told(greetingText.replace(', "capabilities": []', ''))).to.match(
      /^a greeting with capabilities and version/,
    );
  });

  it('is a guest that runs in a state in which none does, or none in the one in which it does', async () => {
    const shown = (running: boolean, status: string) =>
      said((id) => JSON.stringify({ return: { running, status, singlestep: false }, id }), 'query-status');
    expect(await shown(true, 'running')).to.equal(undefined);
    expect(await shown(true, 'finish-migrate')).to.match(/^running false where the status is finish-migrate/);
    expect(await shown(false, 'running')).to.match(/^running true where/);
  });

  it('is a guest that acts where there is none', async () => {
    const reset = JSON.stringify({ ...JSON.parse(stop), event: 'RESET', data: { guest: true } });
    const told = (guestless: boolean) =>
      said((id) => `${reset}\r\n${reply(id)}`, 'query-name', { ...known, guestless });
    expect(await told(false)).to.equal(undefined);
    expect(await told(true)).to.equal('RESET by no guest, as the machine has none');
  });

  it('is an error of a class that there is not, or without a text', async () => {
    const expected = 'an error with one of the classes, a desc, and nothing else';
    const told = (error: unknown) => said((id) => JSON.stringify({ error, id }));
    expect(await told({ class: 'GenericError', desc: 'x' })).to.equal(undefined);
    expect(await told({ class: 'NoError', desc: 'x' })).to.equal(expected);
    expect(await told({ class: 'GenericError', desc: '' })).to.equal(expected);
    expect(await told({ class: 'GenericError', desc: 'x', data: {} })).to.equal(expected);
  });

  it('is an event of a time at which the session was not there', async () => {
    const at = (seconds: number) => timed({ seconds, microseconds: 0 });
    expect(await said((id) => `${at(100)}\r\n${at(101)}\r\n${reply(id)}`)).to.equal(undefined);
    const four = [100, 100, 101, 101].map(at).join('\r\n');
    expect(await said((id) => `${four}\r\n${reply(id)}`)).to.equal('timestamps with their microseconds');
    for (const other of [60, 140]) {
      expect(await said((id) => `${at(100)}\r\n${at(other)}\r\n${reply(id)}`)).to.match(/^timestamps no further apart/);
    }
  });

  it('is an event that is yet to come, or one of long before another, where the clock is ours', async () => {
    const origin = Date.UTC(2026, 0, 1);
    const at = (ms: number) =>
      timed({ seconds: Math.floor((origin + ms) / 1000), microseconds: ((origin + ms) % 1000) * 1000 + 7 });
    const told = (...times: readonly number[]) =>
      said((id) => `${times.map(at).join('\r\n')}\r\n${reply(id)}`, 'query-name', known, origin);
    expect(await told(-20, 1)).to.equal(undefined);
    // Each is told within a moment of the begin of the session.
    expect(await told(60_000)).to.match(/^timestamps of when it happened/);
    expect(await told(0, -400)).to.match(/^timestamps that follow each other/);
    expect(await told(-90_000, 0)).to.match(/^timestamps no further apart/);
    const late = (event: string) =>
      said(
        (id) => `${at(0)}\r\n${at(-400).replace(/"event":"\w+"/, `"event":"${event}"`)}\r\n${reply(id)}`,
        'query-name',
        known,
        origin,
      );
    expect(await late('COLO_EXIT')).to.match(/^timestamps that follow each other/);
    expect(await late('BALLOON_CHANGE')).to.equal(undefined);
  });
});
