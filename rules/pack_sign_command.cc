#include "rules/pack_sign_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include "rules/pack_files.h"

namespace stepwise::rules {
namespace {

namespace fs = std::filesystem;

Result<std::string> ReadFile(const std::string& path, std::size_t limit) {
  std::error_code code;
  const auto fail = [&](Code error, std::string message) {
    return Fail(error, std::move(message), SourceSpan{path, 0, 0, 0});
  };
  if (!fs::is_regular_file(path, code)) return fail(Code::kNotFound, "no such file");
  if (fs::file_size(path, code) > limit)
    return fail(Code::kLimit, "larger than " + std::to_string(limit) + " bytes");
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Code::kNotFound, "cannot be read");
  return std::string{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

constexpr std::size_t kMaxKeyBytes = 1u << 16;
constexpr std::size_t kMaxSignatureBytes = 1u << 20;

int Complain(const Error& error, std::ostream& out) {
  out << error.ToString() << "\n";
  return 1;
}

}  // namespace

Result<Package> ReadPackageFile(const std::string& path) {
  STEPWISE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, PackFiles::kMaxPackageBytes));
  return ReadPackage(bytes, path);
}

std::string ReadSignatures(const std::string& package) {
  return ReadFile(package + std::string(kSignaturesSuffix), kMaxSignatureBytes).value_or("");
}

Result<std::vector<SigningKey>> ReadTrustedKeys(std::span<const std::string> paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code code;
    if (!fs::is_directory(path, code)) {
      files.push_back(path);
      continue;
    }
    for (fs::directory_iterator at(path, code), end; !code && at != end; at.increment(code)) {
      if (at->path().extension() == ".pem") files.push_back(at->path().string());
    }
  }
  std::ranges::sort(files);
  std::vector<SigningKey> out;
  for (const std::string& file : files) {
    STEPWISE_ASSIGN_OR_RETURN(const std::string pem, ReadFile(file, kMaxKeyBytes));
    STEPWISE_ASSIGN_OR_RETURN(SigningKey key, SigningKey::Parse(pem, file));
    out.push_back(std::move(key));
  }
  if (out.empty())
    return Fail(Code::kNotFound, "no key to trust: name .pem files, or a folder that holds some");
  return out;
}

int SignPack(const std::string& package, const std::string& key_file, const std::string& key_id,
             std::ostream& out) {
  const auto read = ReadPackageFile(package);
  if (!read) return Complain(read.error(), out);
  const auto pem = ReadFile(key_file, kMaxKeyBytes);
  if (!pem) return Complain(pem.error(), out);
  const auto key = SigningKey::Parse(*pem, key_file);
  if (!key) return Complain(key.error(), out);
  const auto text = SignPackage(read->manifest, *key, key_id, ReadSignatures(package));
  if (!text) return Complain(text.error(), out);
  const std::string path = package + std::string(kSignaturesSuffix);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << *text;
  file.close();
  if (!file) {
    out << path << ": cannot be written\n";
    return 1;
  }
  out << "signed " << read->manifest.id << " " << read->manifest.version << " " << read->manifest.digest
      << "\n  by " << (key_id.empty() ? key->id() : key_id) << "\n  in " << path << "\n";
  return 0;
}

int VerifyPack(const std::string& package, std::span<const std::string> trusted, std::ostream& out) {
  const auto read = ReadPackageFile(package);
  if (!read) return Complain(read.error(), out);
  const auto keys = ReadTrustedKeys(trusted);
  if (!keys) return Complain(keys.error(), out);
  const std::string text = ReadSignatures(package);
  const Status status = RequireSignature(read->manifest, text, *keys);
  if (!status) {
    out << package << ": " << status.error().ToString() << "\n";
    return 1;
  }
  out << "good " << read->manifest.id << " " << read->manifest.version << " " << read->manifest.digest
      << "\n";
  const auto checks = CheckSignatures(read->manifest, text, *keys);
  for (const SignatureCheck& check : *checks) {
    out << "  " << (check.state == SignatureState::kGood ? "signed by " + check.key_name : "unknown key")
        << " (" << check.key_id << ")\n";
  }
  return 0;
}

void AddPackSignCommands(CLI::App& pack, int& exit_code) {
  struct Arguments {
    std::string package, key, key_id;
    std::vector<std::string> trusted;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* sign = pack.add_subcommand("sign", "Sign a package: Ed25519, in a file beside it");
  sign->add_option("PACKAGE", arguments->package, "A .tgz of `pack build`")->required();
  sign->add_option("--key", arguments->key, "Private Ed25519 key, PEM")->required();
  sign->add_option("--key-id", arguments->key_id, "Name of the key (default: digest of its public half)");
  sign->callback([arguments, &exit_code] {
    exit_code = SignPack(arguments->package, arguments->key, arguments->key_id, std::cout);
  });

  CLI::App* verify =
      pack.add_subcommand("verify", "Check that a package is whole and signed by a trusted key");
  verify->add_option("PACKAGE", arguments->package, "A .tgz of `pack build`")->required();
  verify->add_option("--trusted", arguments->trusted, "Public keys: .pem files, or folders of them")
      ->required();
  verify->callback(
      [arguments, &exit_code] { exit_code = VerifyPack(arguments->package, arguments->trusted, std::cout); });
}

}  // namespace stepwise::rules
