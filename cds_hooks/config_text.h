// ConfigExample: the configuration file with every setting, what it does and its default, commented out.
//
//   # HOST:PORT to listen on; port 0 takes any free port
//   #listen: 127.0.0.1:8080
//
// packaging/stepwise.yaml is this text, and becomes /etc/stepwise/stepwise.yaml. Lines that begin with "#"
// and no space are settings: with the "#" taken away, the file says what the program does anyway.
// Thread-safety: a pure function.
#ifndef STEPWISE_CDS_HOOKS_CONFIG_TEXT_H_
#define STEPWISE_CDS_HOOKS_CONFIG_TEXT_H_

#include <string>

namespace stepwise::cds_hooks {

std::string ConfigExample();

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_CONFIG_TEXT_H_
