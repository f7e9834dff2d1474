//===- RooflinePlot.h - Kernels under their roofs, as SVG -------*- C++ -*-===//

#ifndef RESIN_RUNTIME_REPORT_ROOFLINEPLOT_H
#define RESIN_RUNTIME_REPORT_ROOFLINEPLOT_H

#include <string>
#include <vector>

namespace resin::runtime {

/// One kernel: its operations per byte, its rate, and how much of the time it takes.
struct RooflinePoint {
  std::string name;
  double intensity = 0; ///< FLOP a byte
  double gflops = 0;    ///< of one thread
  double share = 0;     ///< 0 .. 1; the circle's area
};

struct Roofs {
  double gflops = 0;          ///< multiply-adds of one thread
  double cacheGigabytes = 0;  ///< GB/s of one thread from L2
  double memoryGigabytes = 0; ///< GB/s of one thread from memory
};

/// A picture of 800 x 520 with logarithmic axes (Williams, Waterman, Patterson: Roofline, 2009). Points without
/// operations or bytes are left out. Hovering over a circle tells the kernel's name.
std::string drawRoofline(const std::string &title, const Roofs &roofs, const std::vector<RooflinePoint> &points);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_REPORT_ROOFLINEPLOT_H
