import { expect } from 'chai';
import { placeSymptoms } from '../../campaign/told-places.js';
import { Transcript } from '../../protocol/transcript.js';

const unix = { path: '/s/a', type: 'unix' };
const inet = (port: string, host = '127.0.0.1') => ({ host, port, type: 'inet' });

/** What speaks against a destination that was started so, told to listen so, and says that it does so there. */
function against(incoming: string, uris: readonly string[], ...told: readonly object[]): string[] {
  const transcript = new Transcript();
  transcript.add('destination', 'started', JSON.stringify({ incoming }));
  transcript.add('destination', 'connected', 'unix:somewhere');
  for (const uri of uris) {
    transcript.add('destination', 'sent', `{"execute":"migrate-incoming","arguments":{"uri":"${uri}"},"id":"qs1.2"}\n`);
    transcript.add('destination', 'received', '{"return": {}, "id": "qs1.2"}');
  }
  transcript.add('destination', 'sent', '{"execute":"query-migrate","id":"qs1.3"}\n');
  transcript.add('destination', 'received', JSON.stringify({ return: { 'socket-address': told }, id: 'qs1.3' }));
  return placeSymptoms(transcript).map(({ rows }) => rows.join());
}

const wrong = ['MIG-CMD-INC-05'];

describe('where a destination says that it listens', () => {
  it('is where it was told to, once for each time', () => {
    expect(against('unix:/s/a', [], unix)).to.deep.equal([]);
    expect(against('defer', ['unix:/s/a'], unix)).to.deep.equal([]);
    expect(against('defer', ['unix:/s/a', 'unix:/s/a'], unix, unix)).to.deep.equal([]);
    expect(against('unix:/s/a', [], unix, unix)).to.deep.equal(wrong);
    expect(against('unix:/s/b', [], unix)).to.deep.equal(wrong);
    expect(against('defer', [], unix)).to.deep.equal(wrong);
  });

  it('is the port that was named, or one that the system chose', () => {
    expect(against('tcp:127.0.0.1:4444', [], inet('4444'))).to.deep.equal([]);
    expect(against('tcp:127.0.0.1:4444', [], inet('4445'))).to.deep.equal(wrong);
    expect(against('tcp:127.0.0.1:0', [], inet('40001'))).to.deep.equal([]);
    expect(against('tcp:127.0.0.1:0', [], inet('0'))).to.deep.equal(wrong);
    const both = ['tcp:127.0.0.1:0', 'tcp:127.0.0.1:4444'];
    expect(against('defer', both, inet('4444'), inet('40001'))).to.deep.equal([]);
    expect(against('defer', both, inet('40002'), inet('40001'))).to.deep.equal(wrong);
  });

  it('may be each address of a name', () => {
    expect(against('tcp:localhost:0', [], inet('40001'), inet('40002', '::1'))).to.deep.equal([]);
    expect(against('tcp:localhost:0', [], inet('40001'), inet('40002'))).to.deep.equal(wrong);
  });

  it('is anywhere where it was told in words that cannot be read', () => {
    for (const uri of ['fd:3', 'tcp:somewhere:1', 'tcp:127.0.0.1:1,to=5', '\\u0075nix:/s/b'])
      expect(against('defer', [uri], unix), uri).to.deep.equal([]);
    expect(against('vsock:1:2', [], unix, unix)).to.deep.equal([]);
  });

  it('is no concern where what was sent came in pieces', () => {
    const transcript = new Transcript();
    transcript.add('destination', 'started', '{"incoming":"defer"}');
    transcript.add('destination', 'sent', '{"execute":"migrate-incoming","arguments":{"uri":"uni');
    transcript.add('destination', 'sent', 'x:/s/a"}}\n');
    transcript.add('destination', 'received', JSON.stringify({ return: { 'socket-address': [unix] } }));
    expect(placeSymptoms(transcript)).to.deep.equal([]);
  });
});
