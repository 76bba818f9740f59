import { expect } from 'chai';
import { knownDefects } from '../../oracle/known-defects.js';

describe('known defects', () => {
  it('have ids of their own', () => {
    const ids = knownDefects.map(({ id }) => id);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).to.deep.equal([]);
  });

  it('span releases in order', () => {
    for (const { id, from, to } of knownDefects) {
      expect(from[0] < to[0] || (from[0] === to[0] && from[1] <= to[1]), id).to.equal(true);
    }
  });
});
