import { LIFECYCLES, lifecyclesShown } from './lifecycle';

describe('lifecyclesShown', () => {
  it('is active alone unless something else is asked for', () => {
    expect(lifecyclesShown(undefined, undefined)).toEqual(['active']);
    expect(lifecyclesShown(undefined, false)).toEqual(['active']);
  });

  it('counts archived versions as deprecated', () => {
    expect(lifecyclesShown(undefined, true)).toEqual(['deprecated', 'archived']);
  });

  it.each(LIFECYCLES)('is %s when that is asked for, whatever else is said', state => {
    expect(lifecyclesShown(state, undefined)).toEqual([state]);
    expect(lifecyclesShown(state, true)).toEqual([state]);
  });

  it('is everything for all', () => {
    expect(lifecyclesShown('all', undefined)).toEqual(LIFECYCLES);
  });
});
