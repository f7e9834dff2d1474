//===- RooflinePlot.cpp - Kernels under their roofs, as SVG ---------------===//

#include "runtime/report/RooflinePlot.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>

using namespace resin::runtime;

namespace {

__attribute__((format(printf, 1, 2))) std::string format(const char *pattern, ...) {
  char buffer[1024];
  va_list arguments;
  va_start(arguments, pattern);
  std::vsnprintf(buffer, sizeof buffer, pattern, arguments);
  va_end(arguments);
  return buffer;
}

std::string escaped(const std::string &text) {
  std::string result;
  for (char c : text)
    result += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : c == '"' ? "&quot;" : std::string(1, c);
  return result;
}

/// Logarithmic axes from a power of ten to a power of ten.
class Axes {
public:
  Axes(double left, double right, double bottom, double top)
      : x0(std::floor(std::log10(left))), x1(std::ceil(std::log10(right))), y0(std::floor(std::log10(bottom))),
        y1(std::ceil(std::log10(top))) {}

  double x(double intensity) const { return kLeft + (std::log10(intensity) - x0) / (x1 - x0) * (kRight - kLeft); }
  double y(double gflops) const { return kBottom - (std::log10(gflops) - y0) / (y1 - y0) * (kBottom - kTop); }

  std::string grid() const {
    std::string svg;
    for (double decade = x0; decade <= x1; ++decade)
      svg +=
          format("<path d='M%.1f %g V%g' class='grid'/><text x='%.1f' y='%g' text-anchor='middle'>%g</text>\n",
                 x(std::pow(10, decade)), kTop, kBottom, x(std::pow(10, decade)), kBottom + 18, std::pow(10, decade));
    for (double decade = y0; decade <= y1; ++decade)
      svg += format("<path d='M%g %.1f H%g' class='grid'/><text x='%g' y='%.1f' text-anchor='end'>%g</text>\n", kLeft,
                    y(std::pow(10, decade)), kRight, kLeft - 6, y(std::pow(10, decade)) + 4, std::pow(10, decade));
    return svg;
  }

  /// The slope of `gigabytes` from the left edge up to the flat roof at `gflops`.
  std::string slope(double gigabytes, double gflops, const char *label) const {
    const double ridge = gflops / gigabytes, start = std::max(std::pow(10, x0), std::pow(10, y0) / gigabytes);
    if (!(start < ridge))
      return "";
    return format("<path d='M%.1f %.1f L%.1f %.1f' class='roof'/><text x='%.1f' y='%.1f'>%s %.1f GB/s</text>\n",
                  x(start), y(start * gigabytes), x(ridge), y(gflops), x(start) + 8, y(start * gigabytes) - 8, label,
                  gigabytes);
  }

  std::string flat(double gflops, double from) const {
    return format("<path d='M%.1f %.1f H%g' class='roof'/><text x='%g' y='%.1f' text-anchor='end'>%.1f GFLOP/s of "
                  "multiply-adds</text>\n",
                  x(from), y(gflops), kRight, kRight - 4, y(gflops) - 6, gflops);
  }

  static constexpr double kLeft = 70, kRight = 780, kTop = 50, kBottom = 460;

private:
  double x0, x1, y0, y1;
};

} // namespace

std::string resin::runtime::drawRoofline(const std::string &title, const Roofs &roofs,
                                         const std::vector<RooflinePoint> &points) {
  std::vector<RooflinePoint> drawn;
  std::copy_if(points.begin(), points.end(), std::back_inserter(drawn),
               [](const RooflinePoint &point) { return point.intensity > 0 && point.gflops > 0; });
  double left = 0.1, right = 10 * roofs.gflops / roofs.memoryGigabytes, bottom = roofs.gflops / 100,
         top = roofs.gflops * 2;
  for (const RooflinePoint &point : drawn) {
    left = std::min(left, point.intensity), right = std::max(right, point.intensity);
    bottom = std::min(bottom, point.gflops), top = std::max(top, point.gflops);
  }
  const Axes axes(left, right, bottom, top);
  std::string svg =
      "<svg xmlns='http://www.w3.org/2000/svg' width='800' height='520' font-family='sans-serif' font-size='12'>\n"
      "<style>.grid{stroke:#ddd}.roof{stroke:#333;stroke-width:2;fill:none}circle{fill:#1667b7;fill-opacity:.45;stroke:"
      "#1667b7}</style>\n"
      "<rect width='800' height='520' fill='white'/>\n";
  svg += format("<text x='400' y='26' text-anchor='middle' font-size='16'>%s</text>\n", escaped(title).c_str());
  svg += axes.grid();
  svg +=
      axes.slope(roofs.cacheGigabytes, roofs.gflops, "L2") + axes.slope(roofs.memoryGigabytes, roofs.gflops, "memory");
  svg += axes.flat(roofs.gflops, roofs.gflops / std::max(roofs.cacheGigabytes, roofs.memoryGigabytes));
  for (const RooflinePoint &point : drawn)
    svg +=
        format("<circle cx='%.1f' cy='%.1f' r='%.1f'><title>%s: %.1f GFLOP/s, %.1f %% of the time</title></circle>\n",
               axes.x(point.intensity), axes.y(point.gflops), std::max(2.0, 40 * std::sqrt(point.share)),
               escaped(point.name).substr(0, 600).c_str(), point.gflops, 100 * point.share);
  svg += format("<text x='%g' y='%g' text-anchor='middle'>FLOP a byte</text>\n", (Axes::kLeft + Axes::kRight) / 2,
                Axes::kBottom + 40);
  svg += format(
      "<text transform='translate(18 %g) rotate(-90)' text-anchor='middle'>GFLOP/s of one thread</text>\n</svg>\n",
      (Axes::kTop + Axes::kBottom) / 2);
  return svg;
}
