// Package file reads the instances of services from a JSON file that people or tools write, and follows its changes.
//
// The file has the services by their names, and each has a list of instances with the fields of sd.Instance:
//
//	{
//	  "orders": [
//	    {"address": "10.0.0.1:8080"},
//	    {"id": "orders-2", "address": "10.0.0.2:8080", "weight": 2, "zone": "eu-1", "version": "v2",
//	     "tags": ["canary"], "metadata": {"owner": "a"}}
//	  ],
//	  "catalog": []
//	}
//
// docs/sd-file.md says how the file is to be written and watched.
package file
