import { wantedTags, versionOfTag } from './wanted-tags';

const TAGS = ['1.10.0', '1.2.0', '2.0.0-rc.1', '2.0.0_linux', 'edge', 'latest', `sha256-${'0'.repeat(64)}`, `sha256-${'0'.repeat(64)}.sig`];
const ALL = ['1.2.0', '1.10.0', '2.0.0-rc.1', '2.0.0_linux', 'edge', 'latest'];

describe('wantedTags', () => {
  it.each<[string, Parameters<typeof wantedTags>[0], string[]]>([
    ['every tag but those made from digests, versions first and in their order', { repository: 'hello' }, ALL],
    ['tags by their names and beginnings', { repository: 'hello', tags: ['1.*', 'latest', '9.9.9'] }, ['1.2.0', '1.10.0', 'latest']],
    ['versions of a range', { repository: 'hello', range: '>=1.3.0' }, ['1.10.0', '2.0.0_linux']],
    ['either of the two', { repository: 'hello', range: '^2', tags: ['1.2.0'] }, ['1.2.0', '2.0.0_linux']],
    ['the newest of the versions', { repository: 'hello', newest: 2 }, ['2.0.0-rc.1', '2.0.0_linux']],
    ['the newest of a range', { repository: 'hello', range: '^1', newest: 1 }, ['1.10.0']],
    ['what channels point at alone', { repository: 'hello', channels: ['edge'] }, ['edge']],
    ['what channels point at beside versions', { repository: 'hello', range: '^1', newest: 1, channels: ['edge'] }, ['1.10.0', 'edge']],
  ])('names %s', (_, rule, wanted) => expect(wantedTags(rule, TAGS)).toEqual(wanted));

  it.each([
    ['1.0.0', '1.0.0'],
    ['1.0.0_a.b', '1.0.0+a.b'],
    ['v1.0.0', undefined],
    ['1.0', undefined],
    ['latest', undefined],
  ])('takes %s for the version %s', (tag, version) => expect(versionOfTag(tag)).toBe(version));
});
