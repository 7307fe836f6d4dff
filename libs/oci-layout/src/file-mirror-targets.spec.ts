import { describeFolderMirror } from '@packs/testing';
import { FileMirrorTargets } from './file-mirror-targets';

describeFolderMirror('oci-layout', root => new FileMirrorTargets(root));
describeFolderMirror('directory', root => new FileMirrorTargets(root));
