import { createBlacklist } from "../../../api/blacklist/blacklist.ts";
import { createPlatform } from "../../../shared/platform.ts";
import { createFingerprinter } from "../../../shared/revocation/fingerprint.ts";
import { noAdditions } from "../../../shared/revocation/packed-additions.ts";
