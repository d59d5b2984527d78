package io.github.cellfuse.bench;

import io.github.cellfuse.DeviceInfo;

/**
 * A device and its roofline. Unknown values are NaN.
 *
 * @param info the device
 * @param limits medians over the whole run
 * @param launchSeconds the cost of one launch in a sequence of many
 * @param toDevice bytes per second from the host to the device, as a session transfers them
 * @param toHost bytes per second from the device to the host
 * @param copiedBytes the bytes copied to measure the memory's bandwidth; more than the caches hold
 */
public record DeviceReport(
        DeviceInfo info, Limits limits, double launchSeconds, double toDevice, double toHost, long copiedBytes) {}
