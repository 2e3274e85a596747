// `stepwise pack sign` and `stepwise pack verify`: who vouches for a package (rules/package_signature.h).
//
//   stepwise pack sign dist/a-1.2.0.tgz --key me.pem            writes dist/a-1.2.0.tgz.signatures.json
//   stepwise pack verify dist/a-1.2.0.tgz --trusted keys/       a folder of *.pem, or one .pem file
//
// Exit codes: 0 signed, or signed by a trusted key; 1 not; 2 wrong usage.
#ifndef STEPWISE_RULES_PACK_SIGN_COMMAND_H_
#define STEPWISE_RULES_PACK_SIGN_COMMAND_H_

#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#include "rules/package_signature.h"

namespace CLI {
class App;
}

namespace stepwise::rules {

void AddPackSignCommands(CLI::App& pack, int& exit_code);

int SignPack(const std::string& package, const std::string& key_file, const std::string& key_id,
             std::ostream& out);
int VerifyPack(const std::string& package, std::span<const std::string> trusted, std::ostream& out);

// The keys of these .pem files, and of the .pem files in these folders.
Result<std::vector<SigningKey>> ReadTrustedKeys(std::span<const std::string> paths);
// Reads and checks a package file. Errors: those of ReadPackage; kNotFound.
Result<Package> ReadPackageFile(const std::string& path);
// The signatures beside a package; "" when there are none.
std::string ReadSignatures(const std::string& package);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_SIGN_COMMAND_H_
