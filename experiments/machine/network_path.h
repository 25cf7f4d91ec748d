// What lies between load and server. Usually the loopback device, whose packets hold up to 64 KiB; or a virtual cable
// (veth) between two network namespaces, with an MTU of 1500 and no segmentation offload, so that a large message
// becomes as many packets as on an Ethernet. Needs root (CAP_SYS_ADMIN, CAP_NET_ADMIN) and `ip` of iproute2.
//
// The namespaces have no name and no way out: nothing of them is seen by, or reaches, the rest of the machine, and the
// kernel removes them when the last process in them and this object are gone, whatever ends the lab.
#pragma once

#include <expected>
#include <string>

#include "io_models/socket.h"

namespace iolab::lab {

class NetworkPath {
 public:
  // Loopback: both namespaces are -1, the ones that a process is born in.
  NetworkPath() = default;
  // The error is a sentence with its cause and remedy.
  static std::expected<NetworkPath, std::string> veth();

  bool is_loopback() const { return server_.get() < 0; }
  int server_namespace() const { return server_.get(); }  // descriptors, for Launch::network_namespace
  int load_namespace() const { return load_.get(); }
  std::string server_host() const { return is_loopback() ? "127.0.0.1" : "10.79.0.1"; }

 private:
  io::Fd server_;
  io::Fd load_;
};

}  // namespace iolab::lab
