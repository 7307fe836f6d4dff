import { describeMirrorTarget } from '@packs/testing';
import { FileMirrorTargets } from './file-mirror-targets';

describeMirrorTarget('oci-layout', root => new FileMirrorTargets(root));
describeMirrorTarget('directory', root => new FileMirrorTargets(root));
