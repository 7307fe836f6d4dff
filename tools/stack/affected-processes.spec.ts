import { affectedBy } from './affected-processes';
import { builtFile } from './repository-root';

describe('affectedBy', () => {
  it('names the process an app file belongs to', () => {
    expect(affectedBy(builtFile('apps', 'publisher', 'src', 'main.js'))).toEqual(['publisher']);
  });

  it('names all of them for a library', () => {
    expect(affectedBy(builtFile('libs', 'domain', 'src', 'digest.js'))).toContain('api-gateway');
  });

  it('names none for a tool', () => {
    expect(affectedBy(builtFile('tools', 'cli', 'stella', 'main.js'))).toEqual([]);
  });
});
