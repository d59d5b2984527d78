package io.github.cellfuse.bench;

import io.github.cellfuse.DeviceInfo;

/**
 * A device and its roofline; what isn't known of it is NaN.
 *
 * @param info the device
 * @param limits medians over the whole run
 * @param launchSeconds what one launch costs where many follow one another
 * @param toDevice bytes per second from the host to the device, as a session moves them
 * @param toHost bytes per second back
 * @param copiedBytes what the memory's bandwidth was measured with: more than the caches hold
 */
public record DeviceReport(
        DeviceInfo info, Limits limits, double launchSeconds, double toDevice, double toHost, long copiedBytes) {}
